// Folders that wait, and an index that goes.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { Desktop } from './harness/desktop.mjs';
import { openRummage, writeFolder } from './harness/rummage.mjs';
import { until } from './harness/until.mjs';

const RADIATOR = 'The feline slept upon the warm radiator, and purred.\n';
const LAMP = 'The lamp was lit at dusk, and its wick was trimmed.\n';

test('a paused folder waits while another is read, and goes on', { timeout: 120_000 }, async (t) => {
  const desktop = await Desktop.open(t);
  const [diary, house] = [
    writeFolder(desktop, 'diary', { 'radiator.txt': RADIATOR }),
    writeFolder(desktop, 'house', { 'bread.txt': 'Feed the starter in the evening.\n' }),
  ];
  const rummage = await openRummage(desktop);
  await rummage.drop(diary, house);
  await rummage.isUpToDate(2);

  await (await rummage.window.find('button', 'diary')).click();
  await (await rummage.window.find('button', 'Pause')).click();
  await until('it says so', async () => /Paused\. What is new there waits\./.test(await rummage.text()));
  writeFileSync(join(diary, 'lamp.txt'), LAMP);
  await until('what is new is known', async () => /Paused\. 1 file waits\./.test(await rummage.text()));
  writeFileSync(join(house, 'tyres.txt'), 'Change the tyres before the first frost.\n');
  await rummage.isUpToDate(3);
  await rummage.ask('radiator');
  await until('what was read is found', async () => (await rummage.firstResult()).includes('radiator.txt'));

  await (await rummage.window.find('button', 'Resume')).click();
  await rummage.isUpToDate(4);
  await rummage.ask('wick of the lamp');
  await until('what waited is found', async () => (await rummage.firstResult()).includes('lamp.txt'));
  await rummage.window.close();
});

test('all that was indexed is cleared while Rummage runs, and nothing else', { timeout: 180_000 }, async (t) => {
  const desktop = await Desktop.open(t);
  const notes = writeFolder(desktop, 'notes', { 'radiator.txt': RADIATOR, 'lamp.txt': LAMP });
  const rummage = await openRummage(desktop);
  await rummage.drop(notes);
  await rummage.isUpToDate(2);
  await rummage.throttle('Full speed');
  const { pid } = rummage.process;
  const file = (name) => join(desktop.folder, 'rummage-data', name);
  const isKept = (word) => ['catalog.sqlite', 'catalog.sqlite-wal'].map(file)
    .some((path) => existsSync(path) && readFileSync(path).includes(word));
  await until('the settings are kept', () => existsSync(file('settings.toml')));
  assert.ok(isKept('radiator'));

  await (await rummage.window.find('button', 'Settings')).click();
  await (await rummage.window.find('button', 'Clear…')).click();
  await (await rummage.window.find('button', 'Clear the index')).click();
  await until('it is as on the first day', async () => /Drop folders here/.test(await rummage.text()), { seconds: 30 });
  assert.equal(rummage.process.pid, pid, 'the same program');
  assert.ok(!isKept('radiator'), 'no word of it is left');
  assert.match(readFileSync(file('settings.toml'), 'utf8'), /mode = "full"/);
  assert.equal(readFileSync(join(notes, 'radiator.txt'), 'utf8'), RADIATOR);

  await rummage.drop(notes);
  await rummage.isUpToDate(2);
  await rummage.ask('my cat likes to nap');
  await until('all of it works again', async () => (await rummage.firstResult()).includes('radiator.txt'));
  await rummage.window.close();
});
