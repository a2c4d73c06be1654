// `node scripts/pictures.mjs FOLDER [STATE]`: pictures of the window in every state, light
// and dark, wide, small and at 200 %, to be looked at after a change of its looks. In
// Chromium, with the sample data; scripts/screenshot.mjs draws the real window.
// `node scripts/pictures.mjs --kept` draws those anew that docs/states keeps.

import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { start } from '../ui/tests/harness.mjs';
import { STATES } from '../ui/tests/states.mjs';
import { ROOT } from './setup/shell.mjs';

const [, , where, only] = process.argv;
if (!where) throw new Error('Name the folder for the pictures, or --kept.');

const SIZES = {
  wide: { width: 1280, height: 800 },
  small: { width: 800, height: 600 },
  double: { width: 640, height: 400, deviceScaleFactor: 2 },
};
const SCHEMES = ['light', 'dark'];

/** Each state that looks unlike the others, each size and each scheme several times. */
const KEPT = [
  'first-wide-light', 'drop-small-dark', 'refused-small-light', 'unreadable-small-light',
  'questions-small-light', 'recent-wide-dark', 'results-wide-light', 'alike-small-dark',
  'filters-double-dark', 'nothing-small-light', 'preview-wide-dark', 'preview-double-light',
  'pdf-small-dark', 'program-wide-light', 'why-wide-light', 'similar-small-light',
  'hostile-wide-dark', 'indexing-double-light', 'paused-small-dark', 'problems-small-dark',
  'folder-paused-wide-light', 'folder-double-dark', 'folder-stop-small-light', 'ledger-wide-light',
  'failures-small-dark', 'left-out-wide-dark', 'health-wide-dark', 'storm-small-light',
  'moment-wide-light', 'settings-small-dark', 'settings-wrong-small-light', 'measured-small-dark',
  'measuring-double-light', 'models-small-dark', 'model-better-small-light', 'switching-wide-light',
  'compared-small-light', 'comparing-double-dark', 'model-remove-small-dark', 'good-wide-light',
  'data-wide-light', 'clear-small-dark',
];

const isKept = where === '--kept';
const folder = isKept ? join(ROOT, 'docs', 'states') : where;
const wanted = Object.keys(STATES).flatMap((state) => Object.keys(SIZES).flatMap((size) => (
  SCHEMES.map((scheme) => ({ state, size, scheme, name: `${state}-${size}-${scheme}` }))
))).filter(({ state, name }) => (isKept ? KEPT.includes(name) : !only || only === state));

mkdirSync(folder, { recursive: true });
const harness = await start();
for (const { state, size, scheme, name } of wanted) {
  const [scene, steps] = STATES[state];
  const { page, close } = await harness.open(scene, {
    deviceScaleFactor: 1, ...SIZES[size], colorScheme: scheme, reducedMotion: 'reduce',
  });
  const path = join(folder, `${name}.png`);
  try {
    await steps(page);
    await page.evaluate(() => Promise.allSettled(document.getAnimations().map((one) => one.finished)));
    await page.screenshot({ path });
    // A palette is a third of the size, and none of the difference is seen.
    if (isKept) execFileSync('convert', [path, '-strip', '+dither', '-colors', '128', `PNG8:${path}`]);
  } catch (error) {
    console.error(`${name}: ${error.message.split('\n')[0]}`);
    process.exitCode = 1;
  }
  await close();
}
await harness.close();
