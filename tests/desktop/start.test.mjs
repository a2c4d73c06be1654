// What keeps Rummage from starting is said in its window, and mended there.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { program } from '../../scripts/setup/programs.mjs';
import { Desktop } from './harness/desktop.mjs';
import { openRummage } from './harness/rummage.mjs';

test('a data folder that cannot be used is named, until it can', { timeout: 120_000 }, async (t) => {
  const desktop = await Desktop.open(t);
  const data = join(desktop.folder, 'rummage-data');
  writeFileSync(data, 'a file where the folder should be');
  const rummage = await openRummage(desktop);

  const again = await rummage.window.find('button', 'Try again');
  assert.ok((await rummage.text()).includes(data), 'the folder is named');

  rmSync(data);
  await again.click();
  await rummage.window.find('button', 'Choose folders…');
  await rummage.window.close();
});

test('where there is no desktop, it says so and ends', { timeout: 60_000 }, (t) => {
  const desktop = new Desktop();
  t.after(() => desktop.close());
  const { DISPLAY, ...env } = desktop.env;
  const { status, stderr } = spawnSync(program('rummage-desktop'), { env, encoding: 'utf8', timeout: 30_000 });
  assert.match(stderr, /^rummage: there is no desktop here .*`rummage --help`/);
  assert.equal(status, 1);
});
