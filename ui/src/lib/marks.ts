// Which places of any text are to be marked, once the words found are known as
// they were written. Pure.
import type { FileResult } from './backend';
import type { Run } from './highlight';
import { runs } from './highlight';
import { without } from './query';

/** Finds the words in a text; `null` where there are none to find. */
export type Marker = RegExp | null;

/** More would cost more to look for than they help. */
const MOST_WORDS = 64;

/** The words that a result's passages show as found, as these write them. */
export function markerOf(result: Pick<FileResult, 'passages'> | null): Marker {
  const shown = (result?.passages ?? []).flatMap(({ text, highlights }) =>
    highlights.map(([from, to]) => text.slice(from, to).trim().toLowerCase()),
  );
  return markerOfAll(shown);
}

function markerOfAll(found: readonly string[]): Marker {
  const words = [...new Set(found)].filter(Boolean).slice(0, MOST_WORDS);
  if (words.length === 0) return null;
  // The longer of two that begin alike wins.
  const any = words.sort((a, b) => b.length - a.length).map(whole);
  return new RegExp(any.join('|'), 'giu');
}

/** The words of a query, as a name would hold them: without filters and exclusions. */
export function markerOfWords(query: string): Marker {
  const plain = without(query, ['in', 'type', 'after', 'before']).replace(/(^|\s)-\S+/g, ' ');
  return markerOfAll(plain.toLowerCase().match(/[\p{L}\p{N}]{2,}/gu) ?? []);
}

/** A word stands alone, where its script has spaces. */
function whole(word: string): string {
  const escaped = word.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  const spaced = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}]/u.test(word);
  const edge = '[\\p{L}\\p{N}]';
  return spaced ? escaped : `(?<!${edge})${escaped}(?!${edge})`;
}

/** `[from, to)` of each place, in order. */
export function placesOf(text: string, marker: Marker): [number, number][] {
  if (!marker) return [];
  return [...text.matchAll(marker)].map((found) => [found.index, found.index + found[0].length]);
}

export function marked(text: string, marker: Marker): Run[] {
  return runs(text, placesOf(text, marker));
}
