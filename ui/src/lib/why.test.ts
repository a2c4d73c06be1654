import { expect, it } from 'vitest';
import type { Arithmetic } from './backend';
import { partsOf, spanOf } from './why';

const leg = (z: number) => ({ score: 1, mean: 0, deviation: 1, z });
const ONE_LEG: Arithmetic = { keyword: leg(2), meaning: null, meaningShare: 0.6, name: 0, score: 2 };
const ALL: Arithmetic = { keyword: leg(-1), meaning: leg(3), meaningShare: 0.6, name: 2.5, score: 3.9 };

it('adds up to the score', () => {
  for (const arithmetic of [ONE_LEG, ALL]) {
    const parts = partsOf(arithmetic);
    const total = parts.pop();
    const sum = parts.reduce((sum, { from, to }) => sum + to - from, 0);
    expect(sum).toBeCloseTo(arithmetic.score);
    expect(parts.at(-1)?.to).toBeCloseTo(total?.to ?? NaN);
  }
  expect(partsOf(ALL).map(({ name }) => name)).toEqual(['meaning', 'words', 'filename', 'total']);
});

it('has room for every part', () => {
  expect(spanOf(partsOf({ ...ALL, keyword: leg(-20) }))).toEqual({ from: 1.8 - 8, to: 3.9 });
  expect(spanOf([])).toEqual({ from: 0, to: 1 });
});

it('is nothing where there is nothing to add', () =>
  expect(partsOf({ keyword: null, meaning: null, meaningShare: 0, name: 0, score: 0 })).toEqual([]));
