// Rummage ends in the middle of its work: nothing of it is left running, and
// the next start goes on.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Desktop } from './harness/desktop.mjs';
import { descendantsOf, isAlive } from './harness/processes.mjs';
import { openRummage, writeFolder } from './harness/rummage.mjs';
import { until } from './harness/until.mjs';

const FILES = 400;
const WORDS_A_FILE = 180;
const WORDS = [
  'river', 'lantern', 'orchard', 'copper', 'sailor', 'winter', 'ladder', 'candle', 'meadow', 'hammer',
  'violin', 'harbour', 'pepper', 'window', 'saddle', 'tunnel', 'basket', 'thunder', 'marble', 'ribbon',
  'compass', 'blanket', 'kettle', 'feather', 'mirror', 'anchor', 'pigeon', 'cellar', 'garden', 'whistle',
];

test('after kill -9 no worker is left, and the next start finishes the work', { timeout: 420_000 }, async (t) => {
  const desktop = await Desktop.open(t);
  const folder = writeFolder(desktop, 'much', prose());
  const first = await openRummage(desktop);
  await first.drop(folder);
  const indexing = await first.window.find('progressbar', 'Indexing', { seconds: 30 });
  await until('some files are indexed', async () => Number(await indexing.attribute('aria-valuenow')) > 0, { seconds: 60 });

  const app = first.process;
  // Stopped first, so that it starts no worker between our look and its end.
  process.kill(app.pid, 'SIGSTOP');
  const workers = descendantsOf(app.pid).filter((one) => one.program === 'rummage-worker');
  process.kill(app.pid, 'SIGKILL');
  assert.ok(workers.length > 0, 'workers were at work');
  await until('no worker is left', () => !workers.some(isAlive), { seconds: 3 });
  await first.window.close();

  const second = await openRummage(desktop);
  await second.isUpToDate(FILES, { seconds: 240 });
  await second.window.close();
});

/** Files of words in an order that is the same in every run and in no two files. */
function prose() {
  let state = 7;
  const word = () => {
    state = (state * 48_271) % 2_147_483_647;
    return WORDS[state % WORDS.length];
  };
  return Object.fromEntries(Array.from({ length: FILES }, (_, index) => [
    `note-${index}.txt`,
    `${Array.from({ length: WORDS_A_FILE }, (_, at) => (at % 12 === 11 ? `${word()}.\n` : word())).join(' ')}\n`,
  ]));
}
