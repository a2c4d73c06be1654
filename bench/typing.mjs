// `node bench/typing.mjs [--files N]`: how long after a key its answer is painted in the
// real window, while questions are typed a letter at a time. Prints one line of JSON, in
// milliseconds. Linux only.

import { parseArgs } from 'node:util';

import { Desktop } from '../tests/desktop/harness/desktop.mjs';
import { prose } from '../tests/desktop/harness/prose.mjs';
import { openRummage, writeFolder } from '../tests/desktop/harness/rummage.mjs';

const { values } = parseArgs({ options: { files: { type: 'string', default: '4000' } } });
const FILES = Number(values.files);
const QUESTIONS = ['orchard violin', 'copper harbor lantern', 'where is the river bridge', 'winter garden'];

/** Types a question and times each key that is followed by a pause long enough to answer. */
const TYPE = `
  const [question] = arguments;
  const box = document.querySelector('#search');
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  return (async () => {
    const took = [];
    for (let end = 1; end <= question.length; end += 1) {
      const text = question.slice(0, end);
      if (text.endsWith(' ')) continue;
      box.value = text;
      const began = performance.now();
      box.dispatchEvent(new Event('input', { bubbles: true }));
      while (document.querySelector('main').dataset.answered !== text) await frame();
      await frame();
      took.push(performance.now() - began);
    }
    return took;
  })();
`;

const desktop = new Desktop();
try {
  await desktop.start();
  const rummage = await openRummage(desktop);
  await rummage.drop(writeFolder(desktop, 'Notes', prose(FILES)));
  await rummage.throttle('Full speed');
  await rummage.isUpToDate(FILES, { seconds: 1800 });
  await rummage.window.evaluate(TYPE, 'warm up');
  const took = [];
  for (const question of QUESTIONS) took.push(...await rummage.window.evaluate(TYPE, question));
  took.sort((a, b) => a - b);
  const at = (share) => Math.round(took[Math.min(took.length - 1, Math.floor(took.length * share))]);
  console.log(JSON.stringify({ files: FILES, keys: took.length, p50: at(0.5), p95: at(0.95), most: at(1) }));
  await rummage.window.close();
} finally {
  desktop.close();
}
