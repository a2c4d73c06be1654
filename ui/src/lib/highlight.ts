// A passage's text as lines, of runs that are marked and runs that are not. Pure.

export interface Run {
  text: string;
  marked: boolean;
}

/**
 * Cuts `text` at its highlights (`[from, to)` in UTF-16 units). Ranges that are
 * empty, reversed or outside the text are passed over, overlapping ones joined:
 * a wrong range must never cost a reader the text.
 */
export function runs(text: string, highlights: readonly (readonly [number, number])[]): Run[] {
  const found: Run[] = [];
  let at = 0;
  for (const [from, to] of highlights) {
    const start = Math.max(at, from);
    const end = Math.min(text.length, to);
    if (start >= end) continue;
    push(found, text.slice(at, start), false);
    push(found, text.slice(start, end), true);
    at = end;
  }
  push(found, text.slice(at), false);
  return found;
}

function push(found: Run[], text: string, marked: boolean): void {
  if (text === '') return;
  const last = found.at(-1);
  if (last?.marked === marked) last.text += text;
  else found.push({ text, marked });
}

export interface Line {
  heading: boolean;
  runs: Run[];
}

const HEADING = /^#{1,6}[^\S\n]+/;

/**
 * A passage as lines to show. Blank lines are of no use in a short excerpt; the
 * indentation of others is kept. In Markdown a heading loses its signs.
 */
export function excerpt(
  text: string,
  highlights: readonly (readonly [number, number])[],
  markdown: boolean,
): Line[] {
  return linesOf(runs(text, highlights))
    .filter((line) => line.some((run) => run.text.trim() !== ''))
    .map(([first, ...others]) => {
      const heading = markdown && first !== undefined && !first.marked && HEADING.test(first.text);
      const bare = heading ? { ...first, text: first.text.replace(HEADING, '') } : first;
      return { heading, runs: bare === undefined || bare.text === '' ? others : [bare, ...others] };
    });
}

function linesOf(pieces: Run[]): Run[][] {
  const lines: Run[][] = [[]];
  for (const { text, marked } of pieces)
    for (const [index, part] of text.split('\n').entries()) {
      if (index > 0) lines.push([]);
      if (part !== '') lines.at(-1)?.push({ text: part, marked });
    }
  return lines;
}
