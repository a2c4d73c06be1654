import { describe, expect, it } from 'vitest';
import { cutAt, syntaxOf } from './syntax';

const PROGRAM = '# counts\ndef add(a, b=2):\n    return a + b or "none"\n';

describe('syntax', () => {
  it('tells words, names, numbers, texts and remarks apart, and loses nothing', () => {
    const runs = syntaxOf(PROGRAM, 'add.py');
    expect(runs.map((run) => run.text).join('')).toBe(PROGRAM);
    const kindOf = (text: string) => runs.find((run) => run.text === text)?.kind;
    expect([kindOf('# counts'), kindOf('def'), kindOf('add'), kindOf('2'), kindOf('"none"')]).toEqual(
      ['comment', 'keyword', 'name', 'number', 'string'],
    );
  });

  it('takes a language that it does not know for text', () => {
    for (const name of ['a.unknown', 'Makefile', '.', 'a.constructor', 'a.__proto__'])
      expect(syntaxOf(PROGRAM, name)).toEqual([{ text: PROGRAM, kind: null }]);
  });
});

describe('pieces', () => {
  it('are the whole, cut where it is said', () => {
    const runs = syntaxOf(PROGRAM, 'add.py');
    for (const cut of [0, 1, 5, 9, 12, PROGRAM.length]) {
      const pieces = cutAt(runs, [cut, PROGRAM.length - cut]);
      expect(pieces.map((piece) => piece.map((run) => run.text).join(''))).toEqual([
        PROGRAM.slice(0, cut),
        PROGRAM.slice(cut),
      ]);
    }
  });
});
