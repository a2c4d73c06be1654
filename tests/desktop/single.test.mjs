// Whoever starts Rummage a second time meets the window that is there already.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Desktop } from './harness/desktop.mjs';
import { windowNamed } from './harness/drag.mjs';
import { openRummage, TITLE } from './harness/rummage.mjs';
import { until } from './harness/until.mjs';

test('a second start brings the first window forward', { timeout: 120_000 }, async (t) => {
  const desktop = await Desktop.open(t);
  const rummage = await openRummage(desktop);
  const first = await windowNamed(desktop, TITLE);
  desktop.run('xdotool', ['windowminimize', first]);
  await until('the window is out of sight', () => visible(desktop).length === 0);

  const exitCode = await rummage.startAgain();

  assert.equal(exitCode, 0);
  await until('the window is in sight again', () => visible(desktop).length > 0);
  assert.deepEqual(visible(desktop), [first]);
  await until('the window has the focus', () => desktop.run('xdotool', ['getactivewindow']).trim() === first);
  await rummage.window.close();
});

function visible(desktop) {
  try {
    return desktop.run('xdotool', ['search', '--onlyvisible', '--name', `^${TITLE}$`]).trim().split('\n');
  } catch {
    return []; // xdotool fails when it finds none.
  }
}
