// Rows of equal height in a scrolling list: which are in sight, and where a key
// leads. Pure.

/** Three short lines and the air about them; the height of the heads above them. */
export const ROW_PX = 62;
export const HEAD_PX = 30;

/** Drawn beyond what is in sight, so that scrolling never shows a gap. */
const OVERSCAN = 6;

/** The rows to draw, `[first, end)`. */
export function inSight(
  top: number,
  height: number,
  count: number,
): { first: number; end: number } {
  const first = Math.max(0, Math.floor(top / ROW_PX) - OVERSCAN);
  const end = Math.min(count, Math.ceil((top + height) / ROW_PX) + OVERSCAN);
  return { first: Math.min(first, Math.max(0, count - 1)), end: Math.max(0, end) };
}

/** Where the list is to stand so that a row is wholly seen: no further than that needs. */
export function follow(index: number, top: number, height: number): number {
  const own = index * ROW_PX;
  const room = height - HEAD_PX - ROW_PX;
  return Math.max(own - Math.max(0, room), Math.min(own, top));
}

/** The row that a key leads to; `null` for any other key. */
export function moved(
  press: { key: string; ctrlKey: boolean; metaKey: boolean; altKey: boolean; shiftKey: boolean },
  index: number,
  count: number,
  height: number,
): number | null {
  if (press.ctrlKey || press.metaKey || press.altKey || press.shiftKey || count === 0) return null;
  const page = Math.max(1, Math.floor((height - HEAD_PX) / ROW_PX) - 1);
  const to: Record<string, number> = {
    ArrowUp: index - 1,
    ArrowDown: index + 1,
    PageUp: index - page,
    PageDown: index + page,
    Home: 0,
    End: count - 1,
  };
  const next = Object.hasOwn(to, press.key) ? to[press.key] : undefined;
  return next === undefined ? null : Math.min(count - 1, Math.max(0, next));
}
