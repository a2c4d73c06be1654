// `node bench/typing.mjs [--files N | --data FOLDER]`: how long after a key its answer is
// painted in the real window, while questions are typed a letter at a time; and how much
// of that the program behind the window took. Of N made files, or of a data folder with
// an index, on a copy of it. Prints one line of JSON, in milliseconds. Linux only.

import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { Desktop } from '../tests/desktop/harness/desktop.mjs';
import { prose } from '../tests/desktop/harness/prose.mjs';
import { openRummage, writeFolder } from '../tests/desktop/harness/rummage.mjs';
import { until } from '../tests/desktop/harness/until.mjs';

const { values } = parseArgs({ options: {
  files: { type: 'string', default: '4000' },
  data: { type: 'string' },
} });
const FILES = Number(values.files);
const QUESTIONS = values.data
  ? ['vitamin deficiency', 'how do cells respond to stress', 'protein binding', 'risk of heart disease']
  : ['orchard violin', 'copper harbor lantern', 'where is the river bridge', 'winter garden'];

/** Types a question and times each key that is followed by a pause long enough to answer. */
const TYPE = `
  const [question] = arguments;
  const box = document.querySelector('#search');
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  return (async () => {
    const took = [];
    // As the page says it: what the program behind it took.
    const behind = () => Number(/· ([\\d,]+) ms/.exec(document.querySelector('main').innerText)?.[1]);
    for (let end = 1; end <= question.length; end += 1) {
      const text = question.slice(0, end);
      if (text.endsWith(' ')) continue;
      box.value = text;
      const began = performance.now();
      box.dispatchEvent(new Event('input', { bubbles: true }));
      while (document.querySelector('main').dataset.answered !== text) await frame();
      await frame();
      took.push([performance.now() - began, behind()]);
    }
    return took;
  })();
`;

const desktop = new Desktop();
try {
  await desktop.start();
  if (values.data) cpSync(values.data, join(desktop.folder, 'rummage-data'), { recursive: true });
  const rummage = await openRummage(desktop);
  if (values.data) {
    await until('it is up to date', async () => /Up to date/.test(await rummage.text()), { seconds: 300 });
  } else {
    await rummage.drop(writeFolder(desktop, 'Notes', prose(FILES)));
    await rummage.throttle('Full speed');
    await rummage.isUpToDate(FILES, { seconds: 1800 });
  }
  await rummage.window.evaluate(TYPE, 'warm up');
  const took = [];
  for (const question of QUESTIONS) took.push(...await rummage.window.evaluate(TYPE, question));
  const spread = (times) => {
    const sorted = times.toSorted((a, b) => a - b);
    const at = (share) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]);
    return { p50: at(0.5), p95: at(0.95), most: at(1) };
  };
  const [painted, behind] = [0, 1].map((part) => spread(took.map((one) => one[part])));
  const { searched } = await rummage.window.evaluate(
    `return { searched: /searched ([\\d,]+)/.exec(document.body.innerText)?.[1] }`,
  );
  console.log(JSON.stringify({ files: searched, keys: took.length, painted, behind }));
  await rummage.window.close();
} finally {
  desktop.close();
}
