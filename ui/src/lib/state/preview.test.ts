import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Backend, Place, Preview } from '../backend';
import { PreviewState } from './preview.svelte';

const TOTAL = 100;

function previewOf({ path, at }: Place, before: number, after: number): Preview {
  const [first, end] = [Math.max(0, at - before), Math.min(TOTAL, at + after + 1)];
  const passages = Array.from({ length: end - first }, (_, index) => ({
    ordinal: first + index,
    text: `passage ${first + index}`,
    context: '',
    start: first + index,
    end: first + index + 1,
    page: null,
  }));
  return { path, name: path, folder: '', modified: null, bytes: 1, total: TOTAL, passages };
}

function setup() {
  const asked: string[] = [];
  const backend = {
    preview: async (place: Place, before: number, after: number) => {
      asked.push(`${place.path} ${place.at}`);
      if (place.path === 'gone') throw { kind: 'usage', message: 'gone' };
      // The slow one's answer comes after whatever was asked for next.
      if (place.path === 'slow') await new Promise((resolve) => setTimeout(resolve, 500));
      return previewOf(place, before, after);
    },
  } as unknown as Backend;
  return { preview: new PreviewState(backend), asked };
}

const ordinals = (state: PreviewState) => state.preview?.passages.map(({ ordinal }) => ordinal);
const wait = (ms = 100) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('follows the selection only while it is open, and only where it rests', async () => {
  const { preview, asked } = setup();
  preview.follow({ path: 'a', at: 1 });
  await wait();
  expect(asked).toEqual([]);
  preview.open({ path: 'a', at: 1 });
  for (const at of [2, 3, 4]) preview.follow({ path: 'a', at });
  await wait();
  expect(asked).toEqual(['a 1', 'a 4']);
  preview.close();
  await wait();
  expect([preview.preview, preview.isOpen]).toEqual([null, false]);
});

it('drops an answer that comes too late', async () => {
  const { preview } = setup();
  preview.open({ path: 'slow', at: 1 });
  preview.open({ path: 'b', at: 1 });
  await wait(1000);
  expect(preview.preview?.path).toBe('b');
});

it('grows to both ends of the file, each passage once', async () => {
  const { preview } = setup();
  preview.open({ path: 'a', at: 50 });
  await wait();
  for (let round = 0; round < 9; round += 1)
    for (const where of ['before', 'after'] as const) {
      void preview.extend(where);
      void preview.extend(where);
      await wait();
    }
  expect(ordinals(preview)).toEqual(Array.from({ length: TOTAL }, (_, index) => index));
  expect(preview.hasMore).toEqual({ before: false, after: false });
});

it('says why there is nothing to show, until there is', async () => {
  const { preview } = setup();
  preview.open({ path: 'gone', at: 0 });
  await wait();
  expect([preview.preview, preview.error?.message]).toEqual([null, 'gone']);
  preview.follow({ path: 'a', at: 0 });
  await wait();
  expect([preview.preview?.path, preview.error]).toEqual(['a', null]);
  preview.follow(null);
  expect(preview.preview).toBe(null);
});
