// A score as the parts that add up to it, each beginning where the one before ended. Pure.
import type { Arithmetic } from './backend';

export interface Part {
  name: 'meaning' | 'words' | 'filename' | 'total';
  from: number;
  to: number;
}

/** Empty where there is nothing to add up. */
export function partsOf({ keyword, meaning, meaningShare, name, score }: Arithmetic): Part[] {
  const both = keyword !== null && meaning !== null;
  const summands: [Part['name'], number][] = [];
  if (meaning) summands.push(['meaning', (both ? meaningShare : 1) * meaning.z]);
  if (keyword) summands.push(['words', (both ? 1 - meaningShare : 1) * keyword.z]);
  if (name > 0) summands.push(['filename', name]);
  let at = 0;
  const parts = summands.map(([name, value]) => {
    const part = { name, from: at, to: at + value };
    at = part.to;
    return part;
  });
  return parts.length === 0 ? [] : [...parts, { name: 'total', from: 0, to: score }];
}

/** From the lowest to the highest of all ends, nought among them. */
export function spanOf(parts: readonly Part[]): { from: number; to: number } {
  const ends = parts.flatMap(({ from, to }) => [from, to]);
  const [from, to] = [Math.min(0, ...ends), Math.max(0, ...ends)];
  return { from, to: to > from ? to : from + 1 };
}
