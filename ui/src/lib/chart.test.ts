import { describe, expect, it } from 'vitest';
import { BOX, draw, marks, nearest, type Point, share, smooth, span } from './chart';

const MINUTE = 60_000;
const at = (...values: [number, number][]): Point[] =>
  values.map(([seconds, value]) => ({ atMs: seconds * 1000, value }));

describe('marks', () => {
  it.each([
    [0, 1, [0, 0.5, 1]],
    [96, 1, [0, 50, 100]],
    [100, 1, [0, 50, 100]],
    [101, 1, [0, 50, 100, 150]],
    [520, 100, [0, 200, 400, 600]],
    [3, 100, [0, 50, 100]],
  ])('up to %d, at least %d', (peak, least, expected) => {
    expect(marks(peak, least)).toEqual(expected);
  });

  it('always hold the peak, and are few', () => {
    for (let peak = 0.001; peak < 1e12; peak *= 1.37) {
      const own = marks(peak, 0.001);
      expect(own.at(-1)).toBeGreaterThanOrEqual(peak * (1 - 1e-6));
      expect(own.length).toBeGreaterThanOrEqual(2);
      expect(own.length).toBeLessThanOrEqual(4);
    }
  });
});

it.each([
  [[], 1],
  [at([0, 1]), 1],
  [at([0, 1], [60, 1]), 1],
  [at([0, 1], [61, 1]), 2],
  [at([0, 1], [121, 1]), 4],
  [at([0, 1], [400, 1]), 8],
  [at([0, 1], [4000, 1]), 10],
])('span %#', (points, minutes) => expect(span(points)).toBe(minutes * MINUTE));

it.each([
  [at(), at()],
  [at([0, 8]), at([0, 8])],
  [at([0, 8], [2, 0], [4, 1]), at([0, 8], [2, 4], [4, 3])],
  // What lies further back no longer counts.
  [at([0, 8], [2, 0], [4, 1], [6, 2]), at([0, 8], [2, 4], [4, 3], [6, 1])],
  [at([0, 8], [60, 1]), at([0, 8], [60, 1])],
])('smooth %#', (points, expected) => expect(smooth(points, 6000)).toEqual(expected));

it.each([
  [5, 0, 10, 0.5],
  [-5, 0, 10, 0],
  [15, 0, 10, 1],
  [3, 3, 3, 0],
])('share of %d from %d to %d', (value, from, to, expected) => {
  expect(share(value, from, to)).toBe(expected);
});

describe('lines', () => {
  const frame = { fromMs: 0, toMs: 20_000, top: 10 };

  it('run from edge to edge, up where values are large', () => {
    const { line, area } = draw(at([0, 0], [10, 10], [20, 5]), frame);
    expect(line).toBe('M0 100L500 0L1000 50');
    expect(area).toBe('M0 100L0 100L500 0L1000 50L1000 100Z');
  });

  it('break where nothing was measured', () => {
    const { line } = draw(at([0, 0], [2, 0], [16, 0], [20, 0]), frame);
    expect(line.match(/M/g)).toHaveLength(2);
  });

  it('never leave the box', () => {
    const points = at([-30, 5], [0, -4], [5, 400], [20, 3], [28, 2]);
    const numbers = [...draw(points, frame).area.matchAll(/([\d.-]+) ([\d.-]+)/g)];
    expect(numbers.length).toBeGreaterThan(4);
    for (const [, x, y] of numbers) {
      expect(Number(x)).toBeGreaterThanOrEqual(0);
      expect(Number(x)).toBeLessThanOrEqual(BOX.width);
      expect(Number(y)).toBeGreaterThanOrEqual(0);
      expect(Number(y)).toBeLessThanOrEqual(BOX.height);
    }
  });

  it('nothing is drawn of nothing', () => {
    expect(draw([], frame)).toEqual({ line: '', area: '' });
  });
});

it.each([
  [[], 5, -1],
  [at([0, 0], [2, 0], [4, 0]), -100, 0],
  [at([0, 0], [2, 0], [4, 0]), 2900, 1],
  [at([0, 0], [2, 0], [4, 0]), 90_000, 2],
])('nearest %#', (points, atMs, expected) => expect(nearest(points, atMs)).toBe(expected));
