import { describe, expect, it } from 'vitest';
import { runs, withoutBlankLines } from './highlight';

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

it('blank lines go, line breaks stay', () => {
  expect(withoutBlankLines('a\nb')).toBe('a\nb');
  expect(withoutBlankLines('a\n \n\n\tb\n\nc')).toBe('a\n\tb\nc');
});
