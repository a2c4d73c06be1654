// Sample texts to look into, hostile ones among them, and an answer too long to draw.
import { RESULTS } from './fake-data';
import { baseName, folderOf } from '../format';
import type { FileResult, NearestSentence, Place, Preview, PreviewPassage, SearchAnswer } from './types';

/** Files that try to run something in whatever shows them. */
const HOSTILE: Record<string, string[]> = {
  '/home/you/Downloads/evil.md': [
    '# Read me\n\n<script>window.pwned = 1</script>\n\n<img src=x onerror="window.pwned = 2">\n\n' +
      '[press me](javascript:window.pwned=3) and ![look](x onerror=window.pwned=4)\n\n' +
      '<svg onload="window.pwned = 5"></svg> <iframe src="javascript:parent.pwned=6"></iframe>',
    '<style>body { display: none }</style>\n\n- [ ] <input autofocus onfocus="window.pwned = 7">\n\n' +
      '| a | b |\n|---|---|\n| <b onmouseover="window.pwned = 8">c</b> | [d](data:text/html,x) |\n\n' +
      '&lt;script&gt;',
    `${'> '.repeat(5000)}deep`,
  ],
  '/home/you/Downloads/evil.html': [
    '<html><body onload="window.pwned = 9"><script>window.pwned = 10</script>',
  ],
  '/home/you/Downloads/evil.svg': [
    '<svg xmlns="http://www.w3.org/2000/svg" onload="window.pwned = 11"><script>window.pwned = 12</script></svg>',
  ],
  '/home/you/Downloads/evil.js': ['"</span><script>window.pwned = 13</script>" // <b>\n'],
};

export function hostileResults(): FileResult[] {
  return Object.entries(HOSTILE).map(([path, [text = '']]) => ({
    ...RESULTS[0]!,
    path,
    name: baseName(path),
    folder: folderOf(path),
    alike: [],
    passages: [{ ...RESULTS[0]!.passages[0]!, text, start: 0, highlights: [[0, 6]] }],
  }));
}

/** So many results, all of them different. */
export function manyResults(count: number): FileResult[] {
  return Array.from({ length: count }, (_, number) => {
    const like = RESULTS[number % RESULTS.length]!;
    const name = like.name.replace(/(\.\w+)$/, ` ${number + 1}$1`);
    return { ...like, name, path: `${like.folder}/${name}`, alike: [] };
  });
}

/** Passages of the file that are no result, before and after those that are. */
const AROUND = 60;

function passagesOf(path: string): PreviewPassage[] {
  const hostile = HOSTILE[path];
  const texts = hostile ?? textsAround(path);
  return texts.map((text, ordinal) => ({
    ordinal,
    text,
    context: 'House',
    start: startOf(path, ordinal, hostile === undefined),
    end: startOf(path, ordinal, hostile === undefined) + text.length,
    page: path.endsWith('.pdf') ? Math.floor(ordinal / 5) : null,
  }));
}

/** The results' own places stand in the middle of the file. */
function startOf(path: string, ordinal: number, isSample: boolean): number {
  if (!isSample) return ordinal * 10_000;
  const found = foundIn(path);
  const at = ordinal - AROUND;
  return found[at]?.start ?? (at < 0 ? ordinal : 100_000 + ordinal);
}

function foundIn(path: string) {
  const result = RESULTS.find((one) => one.path === path || one.alike.some((f) => f.path === path));
  return [...(result?.passages ?? RESULTS[0]!.passages)].sort((a, b) => a.start - b.start);
}

function textsAround(path: string): string[] {
  const isCode = path.endsWith('.py');
  const other = (number: number) =>
    isCode
      ? `def reading_${number}(meter):\n    # What the meter showed on day ${number}.\n    return meter.at(${number}) * 0.1 + len("kWh")`
      : path.endsWith('.md')
        ? `## Measurement ${number}\n\nThe **flow** was *${30 + (number % 9)} °C*, see \`log-${number}.csv\`:\n\n- outside ${number % 12} °C\n- inside 21 °C`
        : `Measurement ${number}. The flow was ${30 + (number % 9)} °C and the return five below it, at ${number % 12} °C outside. Nothing else was changed that day.`;
  const before = Array.from({ length: AROUND }, (_, number) => other(number));
  const after = Array.from({ length: AROUND }, (_, number) => other(AROUND + number));
  return [...before, ...foundIn(path).map(({ text }) => text), ...after];
}

export function previewOf({ path, at }: Place, before: number, after: number): Preview {
  const all = passagesOf(path);
  const place = Math.max(0, all.findLastIndex(({ start }) => start <= at));
  return {
    path,
    name: baseName(path),
    folder: folderOf(path),
    modified: '2025-03-14T10:20:00Z',
    bytes: 48_200,
    total: all.length,
    passages: all.slice(Math.max(0, place - before), place + after + 1),
  };
}

/** Of the passage with id 5, whose second sentence says what was asked. */
export function nearestOf(id: number): NearestSentence | null {
  const text = RESULTS[3]!.passages[0]!.text;
  return id === 5 ? { text, highlights: [[0, text.indexOf(' Please')]] } : null;
}

export function similarTo({ path }: Place, status: SearchAnswer['coverage']): SearchAnswer {
  return {
    query: '',
    tookMs: 12.2,
    mode: 'meaning',
    notice: null,
    coverage: status,
    good: [],
    results: RESULTS.filter((one) => one.path !== path),
  };
}
