import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Backend, SearchAnswer } from '../backend';
import { Nearest } from './nearest.svelte';

const sentence = (id: number) => ({ text: `passage ${id}`, highlights: [[0, 7]] });

function setup(slow = '') {
  const asked: [string, number[]][] = [];
  const backend = {
    nearestSentences: async (query: string, passages: number[]) => {
      asked.push([query, passages]);
      if (query === slow) await new Promise((resolve) => setTimeout(resolve, 500));
      if (query === 'fails') throw new Error('no model');
      return passages.map((id) => (id === 3 ? null : sentence(id)));
    },
  } as unknown as Backend;
  return { nearest: new Nearest(backend), asked };
}

/** An answer with a passage by meaning for each id, and one by its words. */
function answerOf(query: string, ids: number[]): SearchAnswer {
  const meaning = { rank: 1, similarity: 0.5 };
  const passages = [
    ...ids.map((id) => ({ id, highlights: [], why: { keyword: null, meaning } })),
    { id: 100, highlights: [[0, 1]], why: { keyword: null, meaning } },
    { id: 200, highlights: [], why: { keyword: null, meaning: null } },
  ];
  return { query, results: [{ path: 'a', passages }] } as unknown as SearchAnswer;
}

const wait = (ms = 300) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('asks about what was found by meaning alone', async () => {
  const { nearest, asked } = setup();
  nearest.follow(answerOf('roof', [2, 3]));
  await wait();
  expect(asked).toEqual([['roof', [2, 3]]]);
  expect([nearest.of(2), nearest.of(3), nearest.of(100)]).toEqual([sentence(2), null, null]);
});

it('leaves the worker to whoever types on', async () => {
  const { nearest, asked } = setup();
  for (const query of ['r', 'ro', 'roo', 'roof']) {
    nearest.follow(answerOf(query, [2]));
    await wait(150);
  }
  await wait();
  expect(asked.map(([query]) => query)).toEqual(['roof']);
});

it('keeps what it knows while the same query is answered again', async () => {
  const { nearest } = setup();
  nearest.follow(answerOf('roof', [2]));
  await wait();
  nearest.follow(answerOf('roof', [2]));
  expect(nearest.of(2)).toEqual(sentence(2));
  nearest.follow(answerOf('roofs', [2]));
  expect(nearest.of(2)).toBe(null);
  nearest.follow(null);
  await wait();
  expect(nearest.of(2)).toBe(null);
});

it('drops what comes too late, and does without what fails', async () => {
  const { nearest } = setup('slow');
  nearest.follow(answerOf('slow', [2]));
  await wait();
  nearest.follow(answerOf('fails', [2]));
  await wait(1000);
  expect(nearest.of(2)).toBe(null);
});

it('asks for no more than one sees', async () => {
  const { nearest, asked } = setup();
  nearest.follow(answerOf('roof', Array.from({ length: 99 }, (_, index) => index)));
  await wait();
  expect(asked[0]?.[1].length).toBe(24);
});
