// A collection of texts as files, one each.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

// `corpus` has an object a line with `_id`, `title` and `text`. Gives their number.
export function writeCorpus(corpus, folder, most = Infinity) {
  mkdirSync(folder);
  const lines = readFileSync(corpus, 'utf8').split('\n').filter(Boolean).slice(0, most);
  for (const line of lines) {
    const { _id, title, text } = JSON.parse(line);
    writeFileSync(join(folder, `${_id}.txt`), `${title}\n\n${text}\n`);
  }
  return lines.length;
}
