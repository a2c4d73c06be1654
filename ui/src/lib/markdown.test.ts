import { describe, expect, it } from 'vitest';
import { blocksOf } from './markdown';

const types = (text: string) => blocksOf(text).map(({ type }) => type);

describe('blocks', () => {
  it('are what they are written as', () =>
    expect(types('# A\n\nb\n\n- c\n\n> d\n\n```\ne\n```')).toEqual(
      expect.arrayContaining(['heading', 'paragraph', 'list', 'blockquote', 'code']),
    ));

  it('hold all of the text', () => {
    const text = '# A *b*\n\n<script>alert(1)</script>\n\n[c](javascript:d)\n';
    expect(
      blocksOf(text)
        .map(({ raw }) => raw)
        .join(''),
    ).toBe(text);
  });

  it('that nest without end are text, at once', () => {
    for (const mark of ['>', '> ', '- ', '*', '[', '`'])
      expect(types(mark.repeat(5000))).toEqual(['text']);
  });
});
