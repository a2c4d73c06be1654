// A setting takes effect while Rummage runs.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Desktop } from './harness/desktop.mjs';
import { openRummage, writeFolder } from './harness/rummage.mjs';
import { until } from './harness/until.mjs';

test('the pool grows and shrinks with its setting, without a restart', { timeout: 240_000 }, async (t) => {
  const desktop = await Desktop.open(t);
  const folder = writeFolder(desktop, 'notes', {
    'fern.txt': 'Water the fern twice a week.\n',
    'key.txt': 'The spare key is with the neighbour.\n',
  });
  const rummage = await openRummage(desktop);
  await rummage.drop(folder);
  await rummage.isUpToDate(2);
  const { pid } = rummage.process;
  const before = rummage.workers('embed').length;
  assert.ok(before > 0, 'an embedding worker runs');

  await (await rummage.window.find('button', 'Settings')).click();
  await rummage.window.find('dialog', 'Settings');
  for (const size of [3, 1]) {
    await setPoolSize(rummage.window, size);
    await until(`${size} embedding workers run`, () => rummage.workers('embed').length === size, { seconds: 60 });
  }

  await setPoolSize(rummage.window, 'auto');
  await until(`${before} embedding workers run again`, () => rummage.workers('embed').length === before, { seconds: 60 });
  assert.equal(rummage.process.pid, pid);
  await rummage.window.close();
});

async function setPoolSize(window, size) {
  const auto = await window.find('checkbox', /^Auto.* for Pool size$/);
  if ((await auto.property('checked')) !== (size === 'auto')) await auto.click();
  if (size === 'auto') return;
  const field = await window.find('textbox', 'Pool size');
  await until('the number can be typed', async () => !(await field.property('disabled')));
  await field.clear();
  await field.type(String(size));
  await window.press('Tab'); // A setting is saved when its field is left.
}
