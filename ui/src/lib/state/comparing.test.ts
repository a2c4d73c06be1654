import { expect, it } from 'vitest';
import type { Backend, CompareStep, Comparison } from '../backend';
import { ComparingState } from './comparing.svelte';

const comparison = { questions: 7 } as Comparison;

function setup(compareModels: Backend['compareModels']) {
  let stops = 0;
  const stopComparing = async () => void (stops += 1);
  const backend = { compareModels, stopComparing } as unknown as Backend;
  return { comparing: new ComparingState(backend), stops: () => stops };
}

it('tells each step, and in the end what came of it', async () => {
  let end: (comparison: Comparison) => void = () => undefined;
  let begun = 0;
  const step: CompareStep = { done: 1, most: 9, model: 'a', stage: 'speed' };
  const { comparing } = setup((told) => {
    begun += 1;
    told(step);
    return new Promise((resolve) => (end = resolve));
  });
  const first = comparing.start();
  expect([comparing.isRunning, comparing.step, comparing.outcome]).toEqual([true, step, null]);
  await comparing.start();
  expect(begun).toBe(1);
  end(comparison);
  await first;
  expect([comparing.isRunning, comparing.outcome]).toEqual([false, comparison]);
});

it('keeps what it knows when it is stopped or fails, until that is forgotten', async () => {
  const outcomes = [
    () => Promise.resolve(comparison),
    () => Promise.resolve(null),
    () => Promise.reject({ kind: 'usage', message: 'being measured already', mend: null }),
  ];
  const { comparing, stops } = setup(() => outcomes.shift()?.() ?? Promise.resolve(null));
  await comparing.start();
  await comparing.start();
  expect([comparing.outcome, comparing.failure]).toEqual([comparison, null]);
  await comparing.start();
  expect([comparing.outcome, comparing.failure?.message]).toEqual([comparison, 'being measured already']);
  await comparing.start();
  expect(comparing.failure).toBe(null);
  await comparing.stop();
  expect(stops()).toBe(1);
  comparing.forget();
  expect(comparing.outcome).toBe(null);
});

it('shows nothing that was judged by what was forgotten meanwhile', async () => {
  let end: (comparison: Comparison) => void = () => undefined;
  const { comparing } = setup(() => new Promise((resolve) => (end = resolve)));
  for (const expected of [null, comparison]) {
    const running = comparing.start();
    if (expected === null) comparing.forget();
    end(comparison);
    await running;
    expect(comparing.outcome).toBe(expected);
  }
});
