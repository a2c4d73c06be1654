import { describe, expect, it } from 'vitest';
import {
  ago,
  baseName,
  bytes,
  capital,
  count,
  day,
  duration,
  folderOf,
  language,
  memory,
  moment,
  plural,
  rate,
  splitPath,
  withinRoot,
} from './format';

function table<I, O>(name: string, f: (input: I) => O, rows: [I, O][]): void {
  it.each(rows)(`${name}: %s`, (input, expected) => expect(f(input)).toEqual(expected));
}

describe('languages', () => {
  table('language', language, [
    ['en', 'English'],
    ['zh', 'Chinese'],
    ['no such code', 'no such code'],
  ]);
});

describe('numbers', () => {
  table('count', count, [
    [0, '0'],
    [999, '999'],
    [5183, '5,183'],
    [13_000_000, '13,000,000'],
  ]);
  table('plural', (n: number) => plural(n, 'file'), [
    [0, '0 files'],
    [1, '1 file'],
    [1204, '1,204 files'],
  ]);
  table('bytes', bytes, [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [1234, '1.2 kB'],
    [999_499, '999 kB'],
    [999_500, '1 MB'],
    [99_960_000, '100 MB'],
    [1_234_000_000, '1.2 GB'],
    [2e15, '2,000 TB'],
  ]);
  table('memory', memory, [
    [0, '0 MB'],
    [600 * 2 ** 20, '600 MB'],
    [999.4 * 2 ** 20, '999 MB'],
    [1024 * 2 ** 20, '1 GB'],
    [1.25 * 2 ** 30, '1.3 GB'],
    [64 * 2 ** 30, '64 GB'],
  ]);
  table('rate', rate, [
    [0.04, '0'],
    [0.26, '0.3'],
    [9.96, '10'],
    [38.4, '38'],
  ]);
  table('duration', duration, [
    [-3, '0 s'],
    [0.2, '1 s'],
    [59, '59 s'],
    [60, '1 min'],
    [61, '2 min'],
    [3599, '1 h'],
    [7800, '2 h 10 min'],
    [86_400, '1 d'],
    [90_001, '1 d 2 h'],
  ]);
  table('ago', ago, [
    [-5, 'now'],
    [999, 'now'],
    [59_999, '59 s ago'],
    [60_000, '1 min ago'],
    [3_599_999, '59 min ago'],
    [7_200_000, '2 h ago'],
    [86_400_000, '1 d ago'],
  ]);
});

describe('words', () => {
  table('capital', capital, [
    ['', ''],
    ['it ended', 'It ended'],
    ['äußerst', 'Äußerst'],
  ]);
});

describe('dates', () => {
  const now = new Date(2025, 5, 15, 12, 0);
  const at = (...parts: [number, number, number, number, number]) =>
    new Date(...parts).toISOString();
  table('day', (iso: string) => day(iso, now), [
    [at(2025, 5, 15, 0, 5), 'Today 00:05'],
    [at(2025, 5, 14, 23, 59), 'Yesterday'],
    [at(2025, 5, 13, 12, 0), '13 Jun'],
    [at(2024, 11, 31, 12, 0), '31 Dec 2024'],
    ['no date', ''],
  ]);
  const time = (...parts: [number, number, number, number, number]) => new Date(...parts).getTime();
  table('moment', (ms: number) => moment(ms, now), [
    [time(2025, 5, 15, 14, 5), 'at 14:05'],
    [time(2025, 5, 16, 0, 5), 'tomorrow at 00:05'],
    [time(2025, 5, 18, 9, 0), 'on 18 Jun at 09:00'],
    [time(2025, 5, 14, 9, 0), 'at 09:00'],
  ]);
});

describe('paths', () => {
  table('splitPath', (path: string) => splitPath(path, 12), [
    ['/home/you/Documents/Notes', { head: '/home/you/Documents', tail: '/Notes' }],
    ['/home/you/a/b/c', { head: '/home', tail: '/you/a/b/c' }],
    ['C:\\Users\\you\\Notes', { head: 'C:\\Users', tail: '\\you\\Notes' }],
    ['/one-very-long-name-alone', { head: '', tail: '/one-very-long-name-alone' }],
    ['name', { head: '', tail: 'name' }],
    ['', { head: '', tail: '' }],
  ]);
  it('splitPath loses nothing', () => {
    const paths = ['/', '//', 'a/', '/a/', '/a/b/', 'C:\\', '/ä/ö ü/📁', '/a//b///c'];
    for (const path of paths)
      for (let tail = 0; tail <= path.length + 1; tail += 1) {
        const parts = splitPath(path, tail);
        expect(parts.head + parts.tail).toBe(path);
      }
  });
  table('baseName', baseName, [
    ['/home/you/note.md', 'note.md'],
    ['C:\\Users\\note.md', 'note.md'],
    ['note.md', 'note.md'],
  ]);
  const roots = [
    '/home/you/Notes',
    '/home/you/Documents',
    '/home/you/Documents/Home',
    '/a/Same',
    '/b/Same',
  ].map((path) => ({ path, name: baseName(path) }));
  table('withinRoot', (folder: string) => withinRoot(folder, roots), [
    ['/home/you/Notes', 'Notes'],
    ['/home/you/Notes/2024/May', 'Notes/2024/May'],
    ['/home/you/Documents/Home/Bills', 'Home/Bills'],
    ['/home/you/Notes and more', '/home/you/Notes and more'],
    ['/b/Same/x', '/b/Same/x'],
    ['/elsewhere', '/elsewhere'],
  ]);
  table('folderOf', folderOf, [
    ['/home/you/note.md', '/home/you'],
    ['note.md', ''],
  ]);
});
