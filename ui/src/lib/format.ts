// Numbers, sizes, spans of time, dates and paths as people read them. Pure.

const integers = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const oneDecimal = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });

/** `5183` is `5,183`. */
export function count(n: number): string {
  return integers.format(n);
}

/** `1 file`, `2 files`. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** Decimal units, as file managers show them: `1.2 MB`. */
export function bytes(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = n;
  let unit = 0;
  // 999.5 would round to 1,000 of its unit.
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.95 ? count(value) : oneDecimal.format(value)} ${units[unit]}`;
}

/** Memory, in the binary units that processes are measured in: `164 MB`, `1.2 GB`. */
export function memory(n: number): string {
  const megabytes = n / 2 ** 20;
  return megabytes < 999.5 ? `${count(megabytes)} MB` : `${oneDecimal.format(megabytes / 1024)} GB`;
}

/** Whole numbers from ten on, one decimal below: a slow rate is not shown as nought. */
export function rate(perSecond: number): string {
  return perSecond >= 9.95 ? count(perSecond) : oneDecimal.format(perSecond);
}

/** A clause as a sentence of its own would begin. */
export function capital(clause: string): string {
  return clause.charAt(0).toUpperCase() + clause.slice(1);
}

/** The two largest units that matter: `45 s`, `12 min`, `2 h 10 min`, `3 d 4 h`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.ceil(whole / 60);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 24 * 60) return pair(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.ceil(minutes / 60);
  return pair(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

const languageNames = new Intl.DisplayNames('en', { type: 'language' });

/** A language by its code: `English`; what is no code stands as it is. */
export function language(code: string): string {
  try {
    return languageNames.of(code) ?? code;
  } catch {
    return code;
  }
}

/** How long ago, in one unit: `now`, `12 s ago`, `3 min ago`, `2 h ago`, `4 d ago`. */
export function ago(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 1) return 'now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${count(Math.floor(seconds / 86_400))} d ago`;
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  const head = `${count(large)} ${largeUnit}`;
  return small === 0 ? head : `${head} ${small} ${smallUnit}`;
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** `Today 14:02`, `Yesterday`, `14 Mar`, `14 Mar 2024`; empty for what is no date. */
export function day(iso: string, now: Date): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return '';
  const daysAgo = Math.round((midnight(now) - midnight(date)) / 86_400_000);
  if (daysAgo === 0) return `Today ${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}`;
  if (daysAgo === 1) return 'Yesterday';
  const short = `${date.getDate()} ${MONTHS[date.getMonth()]}`;
  return date.getFullYear() === now.getFullYear() ? short : `${short} ${date.getFullYear()}`;
}

/** A time to come, in milliseconds since 1970: `at 14:05`, `tomorrow at 14:05`, `on 14 Mar at 14:05`. */
export function moment(milliseconds: number, now: Date): string {
  const date = new Date(milliseconds);
  const days = Math.round((midnight(date) - midnight(now)) / 86_400_000);
  const clock = `at ${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}`;
  if (days <= 0) return clock;
  return days === 1
    ? `tomorrow ${clock}`
    : `on ${date.getDate()} ${MONTHS[date.getMonth()]} ${clock}`;
}

function midnight(date: Date): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

function twoDigits(n: number): string {
  return String(n).padStart(2, '0');
}

/**
 * Cuts a path in two where an ellipsis may stand: the head gives way first, the
 * tail (the last parts, up to `tailLength` characters, at least one part) stays.
 * Head and tail together are always the whole path.
 */
export function splitPath(path: string, tailLength = 28): { head: string; tail: string } {
  let cut = lastSeparator(path, path.length - 1);
  for (;;) {
    const earlier = lastSeparator(path, cut - 1);
    if (earlier < 0 || path.length - earlier > tailLength) break;
    cut = earlier;
  }
  return cut <= 0 ? { head: '', tail: path } : { head: path.slice(0, cut), tail: path.slice(cut) };
}

/** The place of the last `/` or `\` before `end`, or -1. */
function lastSeparator(path: string, end: number): number {
  return end <= 0 ? -1 : Math.max(path.lastIndexOf('/', end - 1), path.lastIndexOf('\\', end - 1));
}

/**
 * A folder as seen from the followed folder it lies in: `Documents/Home` for
 * `/home/you/Documents/Home`. The whole path where that would not tell two apart.
 */
export function withinRoot(
  folder: string,
  roots: readonly { path: string; name: string }[],
): string {
  const root = roots
    .filter(({ path }) => folder === path || /^[/\\]/.test(restOf(folder, path)))
    .sort((a, b) => b.path.length - a.path.length)[0];
  if (!root || roots.some((other) => other !== root && other.name === root.name)) return folder;
  return root.name + restOf(folder, root.path);
}

/** What follows `start` in `path`; empty when it does not start with it. */
function restOf(path: string, start: string): string {
  return path.startsWith(start) ? path.slice(start.length) : '';
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.slice(lastSeparator(path, path.length) + 1);
}

/** A path without its last part. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, lastSeparator(path, path.length)));
}
