// `node bench/scrolling.mjs [--files N] [--step PIXELS]`: how long a frame takes in the
// real window while a long list of results is scrolled, beside an empty list of the same
// height in the same web view. Prints one line of JSON, in milliseconds. Linux only.

import { parseArgs } from 'node:util';

import { Desktop } from '../tests/desktop/harness/desktop.mjs';
import { prose } from '../tests/desktop/harness/prose.mjs';
import { openRummage, writeFolder } from '../tests/desktop/harness/rummage.mjs';
import { until } from '../tests/desktop/harness/until.mjs';

const { values } = parseArgs({ options: {
  files: { type: 'string', default: '2000' },
  step: { type: 'string', default: '60' },
} });
const FILES = Number(values.files);
const FRAMES = 150;

const LIST = `document.querySelector('[role=listbox]')`;

/** Scrolls what it is given, so many pixels a frame, and times each frame. */
const SCROLL = `
  const [step, frames, bare] = arguments;
  const results = ${LIST};
  let list = results;
  if (bare) {
    list = results.cloneNode(false);
    list.removeAttribute('id');
    const inside = document.createElement('div');
    inside.style.height = results.scrollHeight + 'px';
    list.append(inside);
    results.replaceWith(list);
  }
  list.scrollTop = 0;
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  return (async () => {
    await frame();
    const took = [];
    for (let n = 0; n < frames; n += 1) {
      const began = performance.now();
      list.scrollTop += step;
      await frame();
      took.push(performance.now() - began);
    }
    const nodes = list.querySelectorAll('*').length;
    if (bare) list.replaceWith(results);
    return [took, nodes];
  })();
`;

const desktop = new Desktop();
try {
  await desktop.start();
  const rummage = await openRummage(desktop);
  await rummage.drop(writeFolder(desktop, 'Notes', prose(FILES)));
  await rummage.throttle('Full speed');
  await rummage.isUpToDate(FILES, { seconds: 1800 });
  await rummage.ask('orchard violin');
  await until('there are results', async () => (await rummage.firstResult()) !== '');
  // As many as there are: they come as one scrolls.
  let height = 0;
  await until('all results are there', async () => {
    const now = await rummage.window.evaluate(`const list = ${LIST}; list.scrollTop = list.scrollHeight; return list.scrollHeight`);
    const same = now === height && now > 100_000;
    height = now;
    return same;
  }, { seconds: 120 });
  const report = { height };
  for (const [name, bare] of [['bare', true], ['results', false], ['bareAgain', true], ['resultsAgain', false]]) {
    const [took, nodes] = await rummage.window.evaluate(SCROLL, Number(values.step), FRAMES, bare);
    took.sort((a, b) => a - b);
    const at = (share) => Number(took[Math.floor((took.length - 1) * share)].toFixed(1));
    report[name] = { p50: at(0.5), p95: at(0.95), nodes };
  }
  console.log(JSON.stringify(report));
  await rummage.window.close();
} finally {
  desktop.close();
}
