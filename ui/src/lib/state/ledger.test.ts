import { describe, expect, it } from 'vitest';
import type { Backend, FileFilter, FilePage, FileRow } from '../backend';
import { Ledger, PAGE_ROWS } from './ledger.svelte';

const ALL = { state: null, root: null };

const row = (id: number, own: Partial<FileRow> = {}): FileRow => ({
  id,
  path: `/notes/${id}.md`,
  isFolder: false,
  state: 'failed',
  reason: 'no',
  passages: 0,
  bytes: 1,
  tries: 1,
  againMs: null,
  remedy: 'retry',
  ...own,
});
const span = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => row(from + index));

/** A catalog of these rows; `asked` are the ids that pages were asked after. */
function setup(rows: FileRow[], more: Partial<Backend> = {}) {
  const asked: number[] = [];
  const catalog = { rows };
  const backend = {
    async files(_filter: FileFilter, after: number, limit: number): Promise<FilePage> {
      asked.push(after);
      const left = catalog.rows.filter(({ id }) => id > after);
      const page = left.slice(0, limit);
      return { rows: page, next: left.length > limit ? (page.at(-1)?.id ?? null) : null };
    },
    ...more,
  } as unknown as Backend;
  return { ledger: new Ledger(backend, ALL), asked, catalog };
}

describe('pages', () => {
  it('come as they are wanted, each once', async () => {
    const { ledger, asked } = setup(span(1, 2.5 * PAGE_ROWS));
    await ledger.reach(10);
    expect([ledger.rows.length, ledger.complete]).toEqual([PAGE_ROWS, false]);
    await Promise.all([ledger.reach(PAGE_ROWS + 1), ledger.reach(PAGE_ROWS + 9)]);
    expect(ledger.rows.length).toBe(2 * PAGE_ROWS);
    await ledger.reach(100_000);
    expect(ledger.complete).toBe(true);
    expect(ledger.rows.map(({ id }) => id)).toEqual(span(1, 2.5 * PAGE_ROWS).map(({ id }) => id));
    expect(asked).toEqual([0, PAGE_ROWS, 2 * PAGE_ROWS]);
  });

  it('that are short before the last are followed by the next', async () => {
    const pages: FilePage[] = [
      { rows: [], next: 20_000 },
      { rows: span(20_007, 20_007), next: 40_000 },
      { rows: [], next: null },
    ];
    const { ledger } = setup([], { files: async () => pages.shift() as FilePage });
    await ledger.reach(1);
    expect([ledger.rows.map(({ id }) => id), ledger.complete]).toEqual([[20_007], true]);
  });

  it('are those of the filter chosen last, whichever come last', async () => {
    const waiting = new Map<string, (page: FilePage) => void>();
    const files = ({ words }: FileFilter) =>
      new Promise<FilePage>((resolve) => waiting.set(words, resolve));
    const { ledger } = setup([], { files } as Partial<Backend>);
    const first = ledger.reach(1);
    const second = ledger.show({ words: 'roof' });
    waiting.get('roof')?.({ rows: span(7, 9), next: null });
    waiting.get('')?.({ rows: span(1, 2), next: null });
    await Promise.all([first, second]);
    expect(ledger.rows.map(({ id }) => id)).toEqual([7, 8, 9]);
  });

  it('of before stay until the first of these are there', async () => {
    const { ledger } = setup(span(1, 3));
    await ledger.reach(1);
    const shown = ledger.show({ state: 'failed' });
    expect(ledger.rows.length).toBe(3);
    await shown;
    expect(ledger.rows.length).toBe(3);
  });

  it('that failed say why', async () => {
    const files = () => Promise.reject({ kind: 'io', message: 'The disk is gone.' });
    const { ledger } = setup([], { files });
    await ledger.reach(1);
    expect([ledger.failure?.message, ledger.loading]).toEqual(['The disk is gone.', true]);
  });
});

describe('rows that change', () => {
  const ids = (ledger: Ledger) => ledger.rows.map(({ id }) => id);

  it('are asked for again where they are in sight, and nowhere else', async () => {
    const { ledger, asked, catalog } = setup(span(1, 3 * PAGE_ROWS));
    await ledger.reach(3 * PAGE_ROWS);
    catalog.rows = catalog.rows.filter(({ id }) => id !== PAGE_ROWS + 2 && id !== 3);
    asked.length = 0;
    await ledger.refresh(PAGE_ROWS + 1, PAGE_ROWS + 5);
    expect(asked).toEqual([PAGE_ROWS]);
    expect(ids(ledger)).toEqual(
      span(1, 3 * PAGE_ROWS)
        .map(({ id }) => id)
        .filter((id) => id !== PAGE_ROWS + 2),
    );
  });

  it('leave room for what has come between', async () => {
    const { ledger, catalog } = setup(span(1, PAGE_ROWS).map(({ id }) => row(2 * id)));
    await ledger.reach(1);
    expect(ledger.complete).toBe(true);
    catalog.rows = span(1, 2 * PAGE_ROWS);
    await ledger.refresh(0, 5);
    expect(ledger.complete).toBe(false);
    await ledger.reach(100_000);
    expect(ids(ledger)).toEqual(catalog.rows.map(({ id }) => id));
  });
});

describe('what a person does', () => {
  it('is told', async () => {
    const { ledger } = setup([], {
      retryFile: async () => {},
      retryFiles: async () => 12,
      includeFile: async () => {},
    });
    await ledger.retry(row(1));
    expect(ledger.told).toEqual({ tone: 'good', words: '1.md is read again.' });
    await ledger.retryAll();
    expect(ledger.told?.words).toBe('12 files are read again.');
    await ledger.include(row(1, { reason: 'the pattern *.md leaves it out' }));
    expect(ledger.told?.words).toContain('the pattern *.md leaves it out');
  });

  it('is told with its mend where it did not work', async () => {
    const refuse = () => Promise.reject({ kind: 'busy', message: 'Busy.', mend: 'Wait.' });
    const { ledger } = setup([], { retryFile: refuse });
    await ledger.retry(row(1));
    expect(ledger.told).toEqual({ tone: 'bad', words: 'Busy. Wait.' });
  });
});
