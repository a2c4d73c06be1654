import { describe, expect, it } from 'vitest';
import { inSight, offsetsOf, revealing, rowAt } from './heights';

const HEIGHTS = [100, 30, 250, 0, 80];
const offsets = offsetsOf(HEIGHTS.length, (index) => HEIGHTS[index] ?? 0);

describe('rows', () => {
  it('begin where those before them end', () =>
    expect([...offsets]).toEqual([0, 100, 130, 380, 380, 460]));

  it('are found by any height within them', () => {
    for (const [y, row] of [[-50, 0], [0, 0], [99, 0], [100, 1], [379, 2], [381, 4], [9999, 4]])
      expect(rowAt(offsets, y ?? 0)).toBe(row);
  });

  it('cover what is in sight, and no more than is asked beyond', () => {
    for (let top = 0; top < 460; top += 7)
      for (const ahead of [0, 90]) {
        const { first, end } = inSight(offsets, top, 60, ahead);
        expect(offsets[first]).toBeLessThanOrEqual(Math.max(0, top - ahead));
        expect(offsets[end]).toBeGreaterThanOrEqual(Math.min(460, top + 60 + ahead));
        if (first > 0) expect(offsets[first + 1]).toBeGreaterThan(top - ahead);
      }
    expect(inSight(offsetsOf(0, () => 9), 0, 60, 90)).toEqual({ first: 0, end: 0 });
  });
});

describe('scrolling to a row', () => {
  function check(range: [number, number], top: number, expected: number) {
    expect(revealing(range, top, 200, 10)).toBe(expected);
  }
  it('goes no further than it must', () => {
    check([100, 150], 50, 50);
    check([300, 350], 50, 160);
    check([100, 150], 120, 90);
    check([0, 50], 100, 0);
  });
  it('shows the beginning of what is too long', () => check([300, 900], 0, 290));
});
