// A folder dropped on the window is indexed, found by meaning, and its files open.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { Desktop } from './harness/desktop.mjs';
import { standInForOpeners } from './harness/openers.mjs';
import { openRummage, writeFolder } from './harness/rummage.mjs';
import { until } from './harness/until.mjs';

const QUESTION = 'my cat likes to nap';
const ANSWER = 'radiator.txt';
const FILES = {
  [ANSWER]: 'The feline slept upon the warm radiator. All afternoon she purred there, whiskers twitching, and never woke until supper.\n',
  'bread.md': '# Sourdough\n\nFeed the starter in the evening. Knead flour, water and salt, let the dough rise overnight and bake it in a hot oven.\n',
  'bicycle.txt': 'The chain slipped off the sprocket on every climb. I cleaned the derailleur, replaced a worn cable and oiled both wheels.\n',
  'taxes.txt': 'Receipts for the annual return: office rent, train tickets, insurance. The revenue office wants the forms before the end of May.\n',
  'glacier.md': '# Ridge walk\n\nWe crossed the glacier at dawn, roped together, and reached the summit hut before the storm came over the pass.\n',
  'backup.txt': 'Restore the database from the nightly snapshot, replay the log, and compare row counts before the servers accept traffic again.\n',
};

test('a dropped folder is found by meaning and its files open', { timeout: 240_000 }, async (t) => {
  sharesNoWord(QUESTION, FILES[ANSWER]);
  const desktop = await Desktop.open(t);
  const openers = await standInForOpeners(desktop);
  const folder = writeFolder(desktop, 'Für später & more', FILES);
  const rummage = await openRummage(desktop);

  await rummage.drop(folder);
  await rummage.window.find('progressbar', 'Indexing');
  await rummage.isUpToDate(Object.keys(FILES).length);
  assert.deepEqual(await rummage.window.all('progressbar', 'Indexing'), []);

  await rummage.ask(QUESTION);
  await until(`${ANSWER} is the first result`, async () => (await rummage.firstResult()).includes(ANSWER));

  await rummage.window.press('Enter');
  await until('a file is opened', () => openers.opened().length > 0);
  assert.deepEqual(openers.opened(), [join(folder, ANSWER)]);

  await rummage.window.press('Control', 'Enter');
  await until('a file is shown in its folder', () => openers.shown().length > 0);
  assert.deepEqual(openers.shown(), [join(folder, ANSWER)]);
  assert.equal(openers.opened().length, 1);
  await rummage.window.close();
});

test('a single file can be dropped, and only it is found', { timeout: 120_000 }, async (t) => {
  const desktop = await Desktop.open(t);
  const folder = writeFolder(desktop, 'notes', FILES);
  const rummage = await openRummage(desktop);

  await rummage.drop(join(folder, ANSWER));
  await rummage.isUpToDate(1);

  await rummage.ask(QUESTION);
  await until(`${ANSWER} is found`, async () => (await rummage.firstResult()).includes(ANSWER));
  const [list] = await rummage.window.all('listbox', 'Results');
  assert.equal((await rummage.window.select('[role=option]', list)).length, 1);
  await rummage.window.close();
});

function sharesNoWord(one, other) {
  const words = (text) => new Set(text.toLowerCase().match(/\p{L}+/gu));
  const there = words(other);
  assert.deepEqual([...words(one)].filter((word) => there.has(word)), []);
}
