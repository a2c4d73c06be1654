// Markdown's blocks. What cannot be read as Markdown is one paragraph as written. Pure.
import { Lexer, type Token } from 'marked';

/** Lists and quotes inside one another: deeper ones are shown as they are written. */
export const DEEPEST = 12;

/** Marks that nest, so many of them in a row, are no text that anybody reads. */
const NESTS_TOO_DEEP = /(?:[>*_[\]~`-]\s?){60,}/;

export function blocksOf(text: string): Token[] {
  try {
    if (!NESTS_TOO_DEEP.test(text)) return Lexer.lex(text);
  } catch {
    // Shown as written.
  }
  return [{ type: 'text', raw: text, text, escaped: false }];
}
