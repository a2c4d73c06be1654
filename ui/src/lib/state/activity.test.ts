import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Indexing, Status } from '../backend';
import { emptyStatus, rootOf } from '../backend/fake-data';
import { Activity } from './activity.svelte';

const END_MS = 1200;

function status(indexed: number, change: Partial<Status> = {}): Status {
  const status = emptyStatus();
  return { ...status, counts: { ...status.counts, indexed }, ...change };
}

function work(done: number, total: number): Partial<Status> {
  const indexing: Indexing = {
    done,
    total,
    filesPerSecond: 3,
    passagesPerSecond: 9,
    secondsLeft: 4,
    current: '/a',
  };
  return { indexing };
}

const scanning = { roots: [rootOf('/home/you/Notes', { state: 'scanning' })] };

/** What is shown after each status, as `done/total`, `-` for nothing, with a `?` while scanning. */
function shown(statuses: Status[]): string[] {
  const activity = new Activity();
  return statuses.map((one) => {
    activity.statusIs(one);
    const { indexing } = activity;
    return (indexing ? `${indexing.done}/${indexing.total}` : '-') + (activity.scanning ? '?' : '');
  });
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it.each([
  [
    'work as it goes on, and its end',
    [status(0), status(0, work(0, 9)), status(9)],
    ['-', '0/9', '9/9'],
  ],
  ['files that were there at the start are no work', [status(9), status(9)], ['-', '-']],
  [
    'work done between two statuses',
    [status(2), status(2, scanning), status(8)],
    ['-', '-?', '6/6'],
  ],
  ['work ends when the scan does', [status(0), status(5, scanning), status(6)], ['-', '-?', '6/6']],
  ['files that went are no work', [status(9), status(4)], ['-', '-']],
  ['files read anew', [status(9), status(7, work(0, 2)), status(9)], ['-', '0/2', '2/2']],
  [
    'found while scanning',
    [status(0), status(0, { ...scanning, ...work(0, 9) })],
    ['-', '0/9'],
  ],
] as [string, Status[], string[]][])('%s', (_, statuses, expected) => {
  expect(shown(statuses)).toEqual(expected);
});

it('an end goes by itself, unless new work comes before', () => {
  const activity = new Activity();
  activity.statusIs(status(0, work(1, 9)));
  activity.statusIs(status(9));
  // A status in between, of a worker's memory say, keeps the end neither longer nor shorter.
  vi.advanceTimersByTime(END_MS / 2);
  activity.statusIs(status(9));
  expect(activity.indexing?.done).toBe(9);
  vi.advanceTimersByTime(END_MS / 2);
  expect(activity.indexing).toBe(null);

  activity.statusIs(status(12));
  activity.statusIs(status(12, work(0, 5)));
  vi.advanceTimersByTime(END_MS);
  expect(activity.indexing?.total).toBe(5);
});
