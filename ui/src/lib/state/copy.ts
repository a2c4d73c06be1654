// What Ctrl+C takes along: a passage, and where it is from.
import type { FileResult } from '../backend';

/** A passage as one would quote it: its text, then its file. */
export function quotation(result: FileResult, path: string, at: number): string {
  const passage = result.passages.find(({ start }) => start === at) ?? result.passages[0];
  const place = passage?.page === null || passage === undefined ? path : `${path}, page ${passage.page}`;
  return passage ? `${passage.text}\n\n${place}` : path;
}
