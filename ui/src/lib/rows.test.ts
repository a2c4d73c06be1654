import { describe, expect, it } from 'vitest';
import { HEAD_PX, ROW_PX, follow, inSight, moved } from './rows';

const HEIGHT = HEAD_PX + 5 * ROW_PX;

describe('what is drawn', () => {
  it.each([0, 1, 4, 5, 100, 100_000])(
    'covers what is in sight of %d rows, and little more',
    (count) => {
      for (let top = 0; top <= count * ROW_PX; top += Math.max(31, (count * ROW_PX) / 97)) {
        const { first, end } = inSight(top, HEIGHT, count);
        expect(first).toBeGreaterThanOrEqual(0);
        expect(end).toBeLessThanOrEqual(count);
        expect(end - first).toBeLessThan(22);
        const seen = [Math.floor(top / ROW_PX), Math.ceil((top + HEIGHT) / ROW_PX) - 1];
        for (const index of seen.filter((one) => one < count))
          expect(index >= first && index < end, `${index} of ${count} at ${top}`).toBe(true);
      }
    },
  );
});

describe('a row that is led to', () => {
  it.each([0, 3, 50, 99])('is wholly in sight: %d', (index) => {
    for (const top of [0, 17, 30 * ROW_PX, 95 * ROW_PX]) {
      const at = follow(index, top, HEIGHT);
      expect(index * ROW_PX).toBeGreaterThanOrEqual(at);
      expect((index + 1) * ROW_PX).toBeLessThanOrEqual(at + HEIGHT - HEAD_PX);
    }
  });

  it('moves nothing where it is in sight already', () =>
    expect(follow(12, 10 * ROW_PX + 5, HEIGHT)).toBe(10 * ROW_PX + 5));
});

describe('keys', () => {
  const plain = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };
  it.each([
    ['ArrowDown', 3, 4],
    ['ArrowUp', 0, 0],
    ['ArrowDown', 9, 9],
    ['PageDown', 3, 7],
    ['PageUp', 3, 0],
    ['Home', 7, 0],
    ['End', 0, 9],
    ['a', 3, null],
    ['constructor', 3, null],
  ])('%s at %d leads to %s', (key, from, to) =>
    expect(moved({ key, ...plain }, from, 10, HEIGHT)).toBe(to),
  );

  it('leads nowhere without rows, or with another key held', () => {
    expect(moved({ key: 'End', ...plain }, 0, 0, HEIGHT)).toBe(null);
    expect(moved({ key: 'End', ...plain, ctrlKey: true }, 0, 5, HEIGHT)).toBe(null);
  });
});
