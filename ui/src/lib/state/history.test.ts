import { expect, it } from 'vitest';
import { History } from './history.svelte';

function storage(kept: string | null = null) {
  const items = new Map(kept === null ? [] : [['searches', kept]]);
  return {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  };
}

it('is newest first, each search once, and outlives the window', () => {
  const kept = storage();
  const history = new History(kept);
  for (const query of ['roof', 'boiler ', 'Roof', '  ']) history.add(query);
  expect(history.list).toEqual(['Roof', 'boiler']);
  expect(new History(kept).list).toEqual(['Roof', 'boiler']);
});

it('is cleared for good', () => {
  const kept = storage();
  const history = new History(kept);
  history.add('roof');
  history.clear();
  expect([history.list, new History(kept).list]).toEqual([[], []]);
});

it('keeps the newest fifty', () => {
  const history = new History(storage());
  for (let number = 0; number < 60; number += 1) history.add(`query ${number}`);
  expect([history.list.length, history.list[0]]).toEqual([50, 'query 59']);
});

it('takes what it cannot read for nothing', () => {
  for (const kept of ['', '{', '{"a":1}', '[1,null]']) expect(new History(storage(kept)).list).toEqual([]);
});

it('does without a place to keep it', () => {
  const history = new History(null);
  history.add('roof');
  expect(history.list).toEqual(['roof']);
});
