// The arithmetic of a small chart over time: its axes, its lines, and which
// moment a place on it means. Pure; draws nothing and knows no unit.

export interface Point {
  atMs: number;
  value: number;
}

/** What a chart shows: from, to, and the value at its upper edge. */
export interface Frame {
  fromMs: number;
  toMs: number;
  top: number;
}

/** The box that lines are drawn in, whatever size it is shown at. */
export const BOX = { width: 1000, height: 100 } as const;

/** A longer silence between two points is a gap: the computer slept, say. */
const GAP_MS = 10_000;

/** Those whose halves can be told in one number, too. */
const SPANS_MS = [1, 2, 4, 6, 8, 10].map((minutes) => minutes * 60_000);

/** The span that holds all of the points, of those that read well. */
export function span(points: readonly Point[]): number {
  const held = (points.at(-1)?.atMs ?? 0) - (points[0]?.atMs ?? 0);
  return SPANS_MS.find((one) => held <= one) ?? Math.max(...SPANS_MS);
}

/** Each point as the mean of those of the time before it, its own included. */
export function smooth(points: readonly Point[], overMs: number): Point[] {
  return points.map(({ atMs }, index) => {
    const held = points.slice(0, index + 1).filter((one) => one.atMs > atMs - overMs);
    return { atMs, value: held.reduce((sum, one) => sum + one.value, 0) / held.length };
  });
}

/**
 * Marks from 0 up to the first round number not below `peak`, three or four of
 * them; of `least` at least, so that noise about 0 is not blown up.
 */
export function marks(peak: number, least: number): number[] {
  const top = Math.max(peak, least);
  const step = roundUp(top / 3);
  const steps = Math.ceil(top / step - 1e-9);
  return Array.from({ length: steps + 1 }, (_, index) => index * step);
}

/** The next of 1, 2, 5, 10, 20, 50 … */
function roundUp(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value));
  return unit * ([1, 2, 5, 10].find((one) => one * unit >= value * (1 - 1e-9)) ?? 10);
}

/** A place along an axis, from 0 to 1. */
export function share(value: number, from: number, to: number): number {
  return to > from ? Math.min(1, Math.max(0, (value - from) / (to - from))) : 0;
}

/** The path of the line in the box, broken at gaps; and that of the area below it. */
export function draw(points: readonly Point[], frame: Frame): { line: string; area: string } {
  const runs = withoutGaps(points.filter((point) => point.atMs >= frame.fromMs));
  const place = ({ atMs, value }: Point) => ({
    x: round(share(atMs, frame.fromMs, frame.toMs) * BOX.width),
    y: round((1 - share(value, 0, frame.top)) * BOX.height),
  });
  const lines = runs.map((run) => run.map(place));
  const through = (run: { x: number; y: number }[]) => run.map(({ x, y }) => `${x} ${y}`).join('L');
  return {
    line: lines.map((run) => `M${through(run)}`).join(''),
    area: lines
      .map((run) => {
        const [left, right] = [run[0]?.x ?? 0, run.at(-1)?.x ?? 0];
        return `M${left} ${BOX.height}L${through(run)}L${right} ${BOX.height}Z`;
      })
      .join(''),
  };
}

function withoutGaps(points: readonly Point[]): Point[][] {
  const runs: Point[][] = [];
  let before: Point | undefined;
  for (const point of points) {
    if (before && point.atMs - before.atMs <= GAP_MS) runs.at(-1)?.push(point);
    else runs.push([point]);
    before = point;
  }
  return runs;
}

const round = (n: number) => Math.round(n * 10) / 10;

/** The place in the list of the point nearest in time; -1 where there is none. */
export function nearest(points: readonly Point[], atMs: number): number {
  let best = -1;
  let distance = Infinity;
  for (const [index, point] of points.entries()) {
    const own = Math.abs(point.atMs - atMs);
    if (own <= distance) [best, distance] = [index, own];
  }
  return best;
}
