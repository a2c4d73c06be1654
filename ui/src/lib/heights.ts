// Rows of many heights in a scrolling list: where each begins, which are in sight,
// and how far to scroll to one. Pure.

/** Where each row begins, and after the last one where all of them end. */
export function offsetsOf(count: number, heightAt: (index: number) => number): Float64Array {
  const offsets = new Float64Array(count + 1);
  for (let index = 0; index < count; index += 1)
    offsets[index + 1] = (offsets[index] ?? 0) + heightAt(index);
  return offsets;
}

/** The row at a height, the first or the last beyond the ends. */
export function rowAt(offsets: Float64Array, y: number): number {
  let [low, high] = [0, offsets.length - 2];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((offsets[middle] ?? 0) <= y) low = middle;
    else high = middle - 1;
  }
  return Math.max(0, low);
}

/** The rows to draw, `[first, end)`: those in sight, and so many pixels beyond either end. */
export function inSight(
  offsets: Float64Array,
  top: number,
  height: number,
  ahead: number,
): { first: number; end: number } {
  const count = offsets.length - 1;
  if (count === 0) return { first: 0, end: 0 };
  return { first: rowAt(offsets, top - ahead), end: rowAt(offsets, top + height + ahead) + 1 };
}

/** Where the list is to stand so that `[from, to)` is seen, or its beginning: no further than that needs. */
export function revealing(
  [from, to]: readonly [number, number],
  top: number,
  height: number,
  margin: number,
): number {
  const lowest = Math.min(from - margin, to + margin - height);
  return Math.max(0, Math.min(Math.max(top, lowest), from - margin));
}
