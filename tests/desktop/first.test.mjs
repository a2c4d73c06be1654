// The first run: an empty window, a folder, something to ask, an answer.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Desktop } from './harness/desktop.mjs';
import { openRummage, writeFolder } from './harness/rummage.mjs';
import { until } from './harness/until.mjs';

const NOTES = {
  'Roof repair.md': '# Roof repair\n\nThe slates on the north side are loose. The roofer comes in April.\n',
  'Winter tyres.md': '# Winter tyres\n\nChange them before the first frost, and store the others in the cellar.\n',
  'Sourdough bread.md': '# Sourdough bread\n\nFeed the starter in the evening and bake it the day after.\n',
};

test('the first run has one target, and then questions from the own files', { timeout: 120_000 }, async (t) => {
  const desktop = await Desktop.open(t);
  const rummage = await openRummage(desktop);
  assert.match(await rummage.text(), /finds your own files by meaning/);
  assert.match(await rummage.text(), /Drop folders here/);
  assert.deepEqual(await rummage.window.all('searchbox'), []);
  await rummage.window.find('button', 'Choose folders…');

  await rummage.drop(writeFolder(desktop, 'notes', NOTES));
  await until('one can type', () => rummage.window.evaluate(`return document.activeElement?.id === 'search'`));
  const tries = async () => (await rummage.window.all('region', 'Try one of these, from your own files'))[0];
  await until('there is something to try', tries, { seconds: 60 });
  const [first] = await rummage.window.select('button', await tries());
  const question = await first.text();
  await first.click();
  await until('it is answered', async () => (await rummage.firstResult()) !== '');
  const asked = await (await rummage.window.find('searchbox', 'Search')).property('value');
  assert.equal(asked, question.trim());
  await rummage.window.close();
});
