import { describe, expect, it } from 'vitest';
import { excerpt, runs } from './highlight';

/** Marked runs in brackets. */
function shown(text: string, highlights: [number, number][]): string {
  return runs(text, highlights)
    .map((run) => (run.marked ? `[${run.text}]` : run.text))
    .join('');
}

describe('runs', () => {
  it.each([
    ['no marks', [], 'no marks'],
    ['rust and sql', [[0, 4]], '[rust] and sql'],
    ['rust and sql', [[9, 12]], 'rust and [sql]'],
    [
      'rust and sql',
      [
        [0, 4],
        [5, 8],
      ],
      '[rust] [and] sql',
    ],
    [
      'rust and sql',
      [
        [0, 6],
        [4, 8],
      ],
      '[rust and] sql',
    ],
    ['rust', [[2, 99]], 'ru[st]'],
    ['rust', [[-5, 1]], '[r]ust'],
    [
      'rust',
      [
        [3, 1],
        [9, 12],
        [2, 2],
      ],
      'rust',
    ],
    ['', [[0, 3]], ''],
    ['📁 box', [[3, 6]], '📁 [box]'],
  ] as [string, [number, number][], string][])('%s %j', (text, highlights, expected) => {
    expect(shown(text, highlights)).toBe(expected);
  });

  it('never loses or adds a character', () => {
    const text = 'ab\ncd ä📁e';
    for (let a = -2; a < 12; a += 1)
      for (let b = -2; b < 12; b += 1)
        for (let c = -2; c < 12; c += 1) {
          const whole = runs(text, [
            [a, b],
            [c, c + 3],
          ])
            .map((run) => run.text)
            .join('');
          expect(whole).toBe(text);
        }
  });
});

describe('excerpt', () => {
  /** Lines; marked runs in brackets, headings between equals signs. */
  function lines(text: string, highlights: [number, number][], markdown: boolean): string[] {
    return excerpt(text, highlights, markdown).map(({ heading, runs }) => {
      const line = runs.map((run) => (run.marked ? `[${run.text}]` : run.text)).join('');
      return heading ? `=${line}=` : line;
    });
  }

  it.each([
    ['blank lines go, indentation stays', 'a\n \n\n\tb\n\nc', [], true, ['a', '\tb', 'c']],
    ['a mark may span lines', 'one\ntwo', [[2, 5]], true, ['on[e]', '[t]wo']],
    ['headings', '# One\ntext\n### Two', [], true, ['=One=', 'text', '=Two=']],
    ['marked headings', '## Warm room', [[3, 7]], true, ['=[Warm] room=']],
    ['no heading', '#one\na # b\n####### c', [], true, ['#one', 'a # b', '####### c']],
    ['only Markdown has headings', '# note', [], false, ['# note']],
    ['nothing', '', [], true, []],
  ] as [string, string, [number, number][], boolean, string[]][])(
    '%s',
    (_, text, highlights, markdown, expected) => {
      expect(lines(text, highlights, markdown)).toEqual(expected);
    },
  );
});
