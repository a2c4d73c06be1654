// Spans of time as one filters by them: relative to today, written as dates. Pure.
import type { Operator } from './query';

export type Span = 'today' | 'week' | 'month' | 'year' | 'older';

export const SPANS: readonly Span[] = ['today', 'week', 'month', 'year', 'older'];

const DAYS: Record<Span, number> = { today: 0, week: 7, month: 30, year: 365, older: 365 };

/** The filter that means a span, on the day that `now` is. */
export function filterFor(span: Span, now: Date): [Operator, string] {
  const day = new Date(now.getFullYear(), now.getMonth(), now.getDate() - DAYS[span]);
  const two = (n: number) => String(n).padStart(2, '0');
  const date = `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
  return [span === 'older' ? 'before' : 'after', date];
}

/** The span that filters mean; `null` where they mean none of them. */
export function spanOf(after: string | null, before: string | null, now: Date): Span | null {
  const means = (span: Span) => {
    const [operator, date] = filterFor(span, now);
    return operator === 'after'
      ? after === date && before === null
      : before === date && after === null;
  };
  return SPANS.find(means) ?? null;
}
