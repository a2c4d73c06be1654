import { describe, expect, it } from 'vitest';
import { filtersOf, valueFor, valuesFor, withFilters, without } from './query';

describe('filters', () => {
  function check(query: string, expected: [string, string][]) {
    expect(filtersOf(query).map(({ operator, value }) => [operator, value])).toEqual(expected);
  }

  it('are found wherever they stand', () => {
    check('roof type:pdf in:notes after:2025-01', [
      ['type', 'pdf'],
      ['in', 'notes'],
      ['after', '2025-01'],
    ]);
    check('TYPE:pdf,md roof', [['type', 'pdf,md']]);
    check('in:"my notes" roof', [['in', 'my notes']]);
  });

  it('are none inside quotes, inside words, or without a value', () => {
    check('"type:pdf in:notes"', []);
    check('-type:pdf mytype:pdf', []);
    check('type: in:"" after:', []);
    check('', []);
  });

  it('may be still being typed', () => check('roof in:"my no', [['in', 'my no']]));

  it('stand where they are said to', () => {
    const query = '  roof  in:"my notes"   type:pdf ';
    expect(filtersOf(query).map(({ from, to }) => query.slice(from, to))).toEqual([
      'in:"my notes"',
      'type:pdf',
    ]);
  });
});

describe('writing', () => {
  it('takes away what it is told to, and the space about it', () => {
    expect(without('roof type:pdf tiles in:x', ['type'])).toBe('roof tiles in:x');
    expect(without('type:pdf roof', ['type', 'in'])).toBe('roof');
    expect(without('roof after:2024 before:2025', ['after', 'before'])).toBe('roof');
  });

  it('leaves a space that is being typed', () => {
    expect(without('roof ', ['type'])).toBe('roof ');
  });

  it('puts one in the place of another', () => {
    expect(withFilters('roof type:pdf', ['type'], [['type', 'md,txt']])).toBe('roof type:md,txt');
    expect(withFilters('', ['in'], [['in', 'My notes']])).toBe('in:"My notes"');
  });

  it('is read back as it was written', () => {
    for (const value of ['notes', 'My notes', '/home/you/My notes'])
      expect(valueFor(withFilters('a "b c" -d', ['in'], [['in', value]]), 'in')).toBe(value);
    expect(valueFor('type:pdf type:md', 'type')).toBe('pdf,md');
    expect(valueFor('roof', 'type')).toBe(null);
    expect(valuesFor('in:/a,b roof in:"/c d"', 'in')).toEqual(['/a,b', '/c d']);
    expect(valuesFor('roof', 'in')).toEqual([]);
  });
});
