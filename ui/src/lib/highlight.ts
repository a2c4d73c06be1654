// A passage's text as runs that are marked and runs that are not. Pure.

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

/** Blank lines are of no use in a short excerpt; the indentation of others is kept. */
export function withoutBlankLines(text: string): string {
  return text.replace(/\n(?:[^\S\n]*\n)+/g, '\n');
}
