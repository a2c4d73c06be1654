import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Backend, HealthSample } from '../backend';
import { Health } from './health.svelte';

const EVERY_MS = 2000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const sample = (atMs: number): HealthSample => ({
  atMs,
  memoryBytes: 1,
  passagesPerSecond: 0,
  filesPerSecond: 0,
  workers: 1,
});

/** A backend that answers each question with the next of these; and how often it was asked. */
function answering(...answers: (() => Promise<HealthSample[]>)[]) {
  const healthHistory = vi.fn(() => (answers.shift() ?? (async () => []))());
  return { health: new Health({ healthHistory } as unknown as Backend), healthHistory };
}

it('asks every two seconds until stopped', async () => {
  const { health, healthHistory } = answering(
    async () => [sample(1)],
    async () => [sample(1), sample(2)],
  );
  const stop = health.watch();
  await vi.advanceTimersByTimeAsync(0);
  expect(health.samples).toEqual([sample(1)]);
  await vi.advanceTimersByTimeAsync(EVERY_MS);
  expect(health.samples).toHaveLength(2);
  stop();
  await vi.advanceTimersByTimeAsync(5 * EVERY_MS);
  expect(healthHistory).toHaveBeenCalledTimes(2);
});

it('a slow answer is waited for, and one that comes too late is dropped', async () => {
  let answer = (_: HealthSample[]): void => undefined;
  const { health, healthHistory } = answering(() => new Promise((resolve) => (answer = resolve)));
  const stop = health.watch();
  await vi.advanceTimersByTimeAsync(10 * EVERY_MS);
  expect(healthHistory).toHaveBeenCalledTimes(1);
  stop();
  answer([sample(1)]);
  await vi.advanceTimersByTimeAsync(10 * EVERY_MS);
  expect([health.samples, healthHistory.mock.calls.length]).toEqual([null, 1]);
});

it('a failure is told, what was known stays, and it goes on', async () => {
  const { health } = answering(
    async () => [sample(1)],
    () => Promise.reject({ message: 'gone' }),
    async () => [sample(3)],
  );
  const stop = health.watch();
  await vi.advanceTimersByTimeAsync(EVERY_MS);
  expect([health.failure?.message, health.samples]).toEqual(['gone', [sample(1)]]);
  await vi.advanceTimersByTimeAsync(EVERY_MS);
  expect([health.failure, health.samples]).toEqual([null, [sample(3)]]);
  stop();
});
