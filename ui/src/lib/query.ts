// The filters in a query, as the query language writes them: found, written and
// taken away again. Pure. Words, quotes and exclusions are left as they stand.

export type Operator = 'in' | 'type' | 'after' | 'before';

/** A filter and where it stands in the query, `[from, to)`. */
export interface Filter {
  operator: Operator;
  /** Without its quotes. */
  value: string;
  from: number;
  to: number;
}

const OPERATOR = /^(in|type|after|before):/i;

/** All filters that have a value, in their order. */
export function filtersOf(query: string): Filter[] {
  const filters: Filter[] = [];
  let at = 0;
  for (;;) {
    at += query.slice(at).search(/\S|$/);
    if (at === query.length) return filters;
    const rest = query.slice(at);
    const operator = OPERATOR.exec(rest)?.[1]?.toLowerCase() as Operator | undefined;
    const lead = operator ? operator.length + 1 : rest.startsWith('-') ? 1 : 0;
    const { value, length } = valueOf(rest.slice(lead));
    const to = at + lead + length;
    if (operator && value.trim() !== '') filters.push({ operator, value, from: at, to });
    // An empty value ends where it begins; even so the next part is further on.
    at = Math.max(to, at + 1);
  }
}

/** A value up to the next space, or in quotes; a quote that is not closed reaches to the end. */
function valueOf(text: string): { value: string; length: number } {
  if (!text.startsWith('"')) {
    const length = text.search(/\s|$/);
    return { value: text.slice(0, length), length };
  }
  const end = text.indexOf('"', 1);
  return end < 0
    ? { value: text.slice(1), length: text.length }
    : { value: text.slice(1, end), length: end + 1 };
}

/** The query without all filters of these operators. */
export function without(query: string, operators: readonly Operator[]): string {
  let left = query;
  for (const { operator, from, to } of filtersOf(query).reverse())
    if (operators.includes(operator)) {
      const after = left.slice(to);
      left = left.slice(0, from).trimEnd() + (after.trim() === '' ? '' : ` ${after.trimStart()}`);
    }
  return left.trimStart();
}

/** The query with these filters in the place of others of their operators. */
export function withFilters(
  query: string,
  operators: readonly Operator[],
  filters: readonly (readonly [Operator, string])[],
): string {
  const written = filters.map(([operator, value]) => `${operator}:${quoted(value)}`);
  return [without(query, operators).trimEnd(), ...written].filter(Boolean).join(' ');
}

/** The value of an operator, all of them where it may be there more than once. */
export function valueFor(query: string, operator: Operator): string | null {
  const values = valuesFor(query, operator);
  return values.length === 0 ? null : values.join(',');
}

export function valuesFor(query: string, operator: Operator): string[] {
  const filters = filtersOf(query).filter((filter) => filter.operator === operator);
  return filters.map(({ value }) => value);
}

function quoted(value: string): string {
  return /\s/.test(value) ? `"${value}"` : value;
}
