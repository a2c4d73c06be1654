import { expect, it } from 'vitest';
import { filterFor, SPANS, spanOf } from './dates';

const NOW = new Date(2025, 0, 3, 23, 59);

it('writes days as the query language reads them', () => {
  expect(SPANS.map((span) => filterFor(span, NOW).join(':'))).toEqual([
    'after:2025-01-03',
    'after:2024-12-27',
    'after:2024-12-04',
    'after:2024-01-04',
    'before:2024-01-04',
  ]);
});

it('knows its own again, and no others', () => {
  for (const span of SPANS) {
    const [operator, date] = filterFor(span, NOW);
    const [after, before] = operator === 'after' ? [date, null] : [null, date];
    expect(spanOf(after, before, NOW)).toBe(span);
  }
  expect(spanOf('2025', null, NOW)).toBe(null);
  expect(spanOf('2025-01-03', '2025-02', NOW)).toBe(null);
  expect(spanOf(null, null, NOW)).toBe(null);
});
