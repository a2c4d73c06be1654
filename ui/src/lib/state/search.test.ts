import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Backend, Place, SearchAnswer } from '../backend';
import { Search } from './search.svelte';

/** A backend that answers when told to; `alike`: the files that a result stands for, too. */
function setup(alike: Record<string, string[]> = {}) {
  const asked: { query: string; answer(paths: string[]): Promise<void>; fail(): Promise<void> }[] =
    [];
  const acts: string[] = [];
  const marked: unknown[][] = [];
  const kept: string[] = [];
  const limits: number[] = [];
  const backend = {
    similar: (place: Place, limit: number) => backend.search(`like ${place.path} ${place.at}`, limit),
    search: (query: string, limit: number) =>
      new Promise<SearchAnswer>((resolve, reject) => {
        const settle = () => vi.advanceTimersByTimeAsync(0).then(() => undefined);
        limits.push(limit);
        asked.push({
          query,
          answer: (paths) => (resolve(answerOf(query, paths, alike)), settle()),
          fail: () => (
            reject({ kind: 'bad', field: null, message: 'broken', mend: null }),
            settle()
          ),
        });
      }),
  } as unknown as Backend;
  const search = new Search(backend, {
    act: (intent, path, question) => void acts.push(`${intent} ${path} ${question}`),
    mark: (...mark) => void marked.push(mark),
    keep: (query) => void kept.push(query),
  });
  return { search, asked, acts, marked, kept, limits };
}

function fileOf(path: string) {
  return { path, name: path, folder: '' };
}

function answerOf(query: string, paths: string[], alike: Record<string, string[]>): SearchAnswer {
  const coverage = { known: 9, searched: 9, meaning: 9 };
  const results = paths.map((path) => ({
    ...fileOf(path),
    modified: null,
    score: 1,
    named: false,
    passages: [],
    arithmetic: { keyword: null, meaning: null, meaningShare: 0, name: 0, score: 1 },
    alike: (alike[path] ?? []).map((one) => ({ ...fileOf(one), copy: true })),
  }));
  return { query, tookMs: 1, mode: 'hybrid', notice: null, coverage, good: [], results };
}

const coverage = (searched: number) => ({ known: 9, searched, meaning: searched });
const wait = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('typing', () => {
  it('searches at once, and no more than once for keys pressed while it does', async () => {
    const { search, asked } = setup();
    for (const query of ['b', 'bo', 'boa', 'boat ']) {
      search.type(query);
      await wait(50);
    }
    await wait(60);
    expect(asked.map((one) => one.query)).toEqual(['b', 'boat']);
  });

  it('asks what was typed meanwhile as soon as it can', async () => {
    const { search, asked } = setup();
    search.type('b');
    search.type('bo');
    search.type('boat');
    expect(asked.map((one) => one.query)).toEqual(['b']);
    await asked[0]?.answer(['old']);
    expect([search.results.length, search.pending]).toEqual([0, true]);
    expect(asked.map((one) => one.query)).toEqual(['b', 'boat']);
    await asked[1]?.answer(['new']);
    expect([search.selectedPath, search.pending]).toEqual(['new', false]);
    await wait(1000);
    expect(asked.length).toBe(2);
  });

  it('asks nothing more once the search was cleared', async () => {
    const { search, asked } = setup();
    search.type('b');
    search.type('boat');
    search.clear();
    await asked[0]?.answer(['old']);
    await wait(1000);
    expect([asked.length, search.answer, search.pending]).toEqual([1, null, false]);
  });

  it('keeps the old results until the new ones are there', async () => {
    const { search, asked } = setup();
    search.type('a');
    await wait(60);
    await asked[0]?.answer(['one']);
    search.type('ab');
    await wait(60);
    expect([search.pending, search.results.map((r) => r.path)]).toEqual([true, ['one']]);
    await asked[1]?.answer(['two']);
    expect([search.pending, search.selectedPath]).toEqual([false, 'two']);
  });

  it('drops an answer that comes after a later query', async () => {
    const { search, asked } = setup();
    search.type('a');
    await wait(60);
    search.type('ab');
    await wait(60);
    await asked[1]?.answer(['new']);
    await asked[0]?.answer(['old']);
    expect(search.results.map((r) => r.path)).toEqual(['new']);
  });

  it('drops an answer that comes after the search was cleared', async () => {
    const { search, asked } = setup();
    search.type('a');
    await wait(60);
    search.clear();
    await asked[0]?.answer(['old']);
    expect([search.answer, search.pending]).toEqual([null, false]);
  });

  it('never asks for nothing', async () => {
    const { search, asked } = setup();
    search.type('  ');
    await wait(1000);
    expect(asked).toEqual([]);
  });

  it('says what failed, until the next answer', async () => {
    const { search, asked } = setup();
    search.type('a');
    await wait(60);
    await asked[0]?.fail();
    expect([search.error?.message, search.pending]).toEqual(['broken', false]);
    search.type('ab');
    await wait(60);
    await asked[1]?.answer([]);
    expect(search.error).toBe(null);
  });
});

describe('the selection', () => {
  it('moves within its ends and is what gets opened', async () => {
    const { search, asked, acts } = setup();
    search.type('a');
    await wait(60);
    await asked[0]?.answer(['one', 'two', 'three']);
    search.move(-1);
    search.choose('open');
    search.move(1);
    search.choose('reveal');
    search.move(99);
    search.choose('open');
    expect(acts).toEqual(['open one a', 'reveal two a', 'open three a']);
  });

  it('waits for the answer when Enter comes first', async () => {
    const { search, asked, acts } = setup();
    search.type('a');
    search.choose('open');
    await wait(60);
    expect(acts).toEqual([]);
    await asked[0]?.answer(['one', 'two']);
    expect(acts).toEqual(['open one a']);
  });

  it('forgets an early Enter when more is typed', async () => {
    const { search, asked, acts } = setup();
    search.type('a');
    search.choose('open');
    search.type('ab');
    await wait(60);
    await asked[0]?.answer(['one']);
    expect(acts).toEqual([]);
  });

  it('is marked good for the question answered, and that is taken back', async () => {
    const { search, asked, marked, kept } = setup();
    search.type('a');
    search.toggleGood();
    await asked[0]?.answer(['one', 'two']);
    search.toggleGood();
    expect([search.isGood('one'), search.isGood('two')]).toEqual([true, false]);
    search.toggleGood();
    expect(search.isGood('one')).toBe(false);
    expect(marked).toEqual([['a', 'one', true], ['a', 'one', false]]);
    expect(kept).toEqual(['a', 'a']);
    // It was refused.
    search.goodIs('another', 'one', true);
    expect(search.isGood('one')).toBe(false);
    search.goodIs('a', 'one', true);
    expect(search.isGood('one')).toBe(true);
  });

  it('answers no question where it is only similar to something', async () => {
    const { search, asked, acts, marked } = setup();
    search.type('a');
    await asked[0]?.answer(['one']);
    search.findSimilar();
    await asked[1]?.answer(['two']);
    search.toggleGood();
    search.choose('open');
    expect([marked, acts]).toEqual([[], ['open two null']]);
  });

  it('opens nothing where nothing was found', async () => {
    const { search, asked, acts } = setup();
    search.type('a');
    await wait(60);
    await asked[0]?.answer([]);
    search.move(1);
    search.choose('open');
    expect(acts).toEqual([]);
  });
});

describe('what was asked', () => {
  async function answered(paths = ['one']) {
    const all = setup();
    all.search.type('roof');
    await wait(60);
    await all.asked[0]?.answer(paths);
    return all;
  }

  it('is kept once its answer was looked at for a while, or acted on', async () => {
    const looked = await answered();
    await wait(2900);
    expect(looked.kept).toEqual([]);
    await wait(200);
    expect(looked.kept).toEqual(['roof']);
    const opened = await answered();
    opened.search.choose('open');
    expect(opened.kept).toEqual(['roof']);
  });

  it('is not kept when more was typed, or nothing was found', async () => {
    const typed = await answered();
    await wait(2000);
    typed.search.type('roof t');
    await wait(2000);
    expect(typed.kept).toEqual([]);
    const nothing = await answered([]);
    await wait(9000);
    expect(nothing.kept).toEqual([]);
  });
});

describe('more results', () => {
  it('are asked for only when there may be more, and leave the selection', async () => {
    const { search, asked, limits } = setup();
    search.type('a');
    await wait(60);
    await asked[0]?.answer(['one']);
    search.more();
    expect(limits).toEqual([30]);
    search.type('ab');
    await wait(60);
    const paths = Array.from({ length: 30 }, (_, index) => `file ${index}`);
    await asked[1]?.answer(paths);
    search.move(7);
    search.more();
    search.more();
    expect(limits).toEqual([30, 30, 120]);
    await asked[2]?.answer(['new', ...paths.toReversed(), 'last']);
    expect(search.results.map(({ path }) => path)).toEqual([...paths, 'new', 'last']);
    expect(search.selectedPath).toBe('file 7');
    search.type('abc');
    await wait(60);
    expect(limits.at(-1)).toBe(30);
  });
});

describe('what is similar', () => {
  it('is looked for beside the query, which stays to come back to', async () => {
    const { search, asked } = setup();
    search.type('roof');
    await wait(60);
    await asked[0]?.answer(['one', 'two']);
    search.move(1);
    search.findSimilar();
    await wait(0);
    await asked[1]?.answer(['three']);
    expect([search.query, search.likeness?.name]).toEqual(['roof', 'two']);
    search.endSimilar();
    await wait(0);
    await asked[2]?.answer(['one']);
    expect(asked.map(({ query }) => query)).toEqual(['roof', 'like two 0', 'roof']);
    expect(search.likeness).toBe(null);
  });

  it('ends when something is typed', async () => {
    const { search, asked } = setup();
    search.type('roof');
    await wait(60);
    await asked[0]?.answer(['one']);
    search.findSimilar();
    search.type('roof t');
    await wait(60);
    await asked[1]?.answer(['similar']);
    await asked[2]?.answer(['two']);
    expect(asked.map(({ query }) => query)).toEqual(['roof', 'like one 0', 'roof t']);
    expect([search.selectedPath, search.likeness]).toEqual(['two', null]);
  });
});

describe('files alike', () => {
  const lines = (search: Search) => search.rows.map((row) => row.path);

  /** Two results, the second of which stands for two more files. */
  async function answered() {
    const all = setup({ two: ['copy', 'other'] });
    all.search.coverageIs(coverage(1));
    all.search.type('a');
    await wait(60);
    await all.asked[0]?.answer(['one', 'two']);
    return all;
  }

  it('are lines of their own while shown', async () => {
    const { search, acts } = await answered();
    search.unfold(true);
    expect(lines(search)).toEqual(['one', 'two']);
    search.move(1);
    search.unfold(true);
    expect(lines(search)).toEqual(['one', 'two', 'copy', 'other']);
    search.move(2);
    search.choose('open');
    expect(acts).toEqual(['open other a']);
    search.unfold(false);
    expect([lines(search), search.selectedPath]).toEqual([['one', 'two'], 'two']);
  });

  it('stay shown while the query is the same', async () => {
    const { search, asked } = await answered();
    search.move(1);
    search.unfold(true);
    search.move(1);
    search.coverageIs(coverage(2));
    await wait(3000);
    await asked[1]?.answer(['two', 'one']);
    expect([lines(search), search.selectedPath]).toEqual([['two', 'copy', 'other', 'one'], 'copy']);
    search.type('ab');
    await wait(60);
    await asked[2]?.answer(['two']);
    expect(lines(search)).toEqual(['two']);
  });
});

describe('while indexing', () => {
  async function answered() {
    const all = setup();
    all.search.coverageIs(coverage(1));
    all.search.type('a');
    await wait(60);
    await all.asked[0]?.answer(['one', 'two']);
    return all;
  }

  it('searches again at most every two seconds, and keeps the selection', async () => {
    const { search, asked } = await answered();
    search.move(1);
    await wait(3000);
    for (let searched = 2; searched < 10; searched += 1) {
      search.coverageIs(coverage(searched));
      await wait(250);
    }
    expect(asked.length).toBe(2);
    await asked[1]?.answer(['three', 'two', 'one']);
    expect([search.selectedPath, search.selectedIndex]).toEqual(['two', 1]);
    await wait(2000);
    expect(asked.length).toBe(3);
  });

  it('leaves the list alone while the selection moves', async () => {
    const { search, asked } = await answered();
    for (let i = 0; i < 20; i += 1) {
      search.move(i % 2 ? 1 : -1);
      search.coverageIs(coverage(2));
      await wait(500);
    }
    expect(asked.length).toBe(1);
    await wait(2000);
    expect(asked.length).toBe(2);
  });

  it('does not search again when nothing is new', async () => {
    const { search, asked } = await answered();
    search.coverageIs(coverage(1));
    await wait(10_000);
    expect(asked.length).toBe(1);
  });

  it('does not search again after the query is gone', async () => {
    const { search, asked } = await answered();
    search.coverageIs(coverage(2));
    search.clear();
    await wait(10_000);
    expect(asked.length).toBe(1);
  });
});
