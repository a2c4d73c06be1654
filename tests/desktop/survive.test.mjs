// Rummage ends in the middle of its work: nothing of it is left running, and
// the next start goes on.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Desktop } from './harness/desktop.mjs';
import { descendantsOf, isAlive } from './harness/processes.mjs';
import { prose } from './harness/prose.mjs';
import { openRummage, writeFolder } from './harness/rummage.mjs';
import { until } from './harness/until.mjs';

const FILES = 1500;
const SECONDS_TO_END = 3;

test('after kill -9 no worker is left, and the next start finishes the work', { timeout: 420_000 }, async (t) => {
  const desktop = await Desktop.open(t);
  const { rummage, done } = await atWork(desktop);

  const app = rummage.process;
  // Stopped first, so that it starts no worker between our look and its end.
  process.kill(app.pid, 'SIGSTOP');
  const workers = workersOf(app);
  process.kill(app.pid, 'SIGKILL');
  assert.ok(workers.length > 0, 'workers were at work');
  await until('no worker is left', () => !workers.some(isAlive), { seconds: SECONDS_TO_END });
  await rummage.window.close();

  const second = await openRummage(desktop);
  assert.ok(await filesDone(second) >= done, 'what was done stays done');
  await second.isUpToDate(FILES, { seconds: 240 });
  await second.window.close();
});

test('closing the window ends the program and its workers, in the middle of the work', { timeout: 240_000 }, async (t) => {
  const desktop = await Desktop.open(t);
  const { rummage, done } = await atWork(desktop);

  const all = [rummage.process, ...workersOf(rummage.process)];
  assert.ok(all.length > 1, 'workers were at work');
  await rummage.closeWindow();
  await until('nothing is left', () => !all.some(isAlive), { seconds: SECONDS_TO_END });
  await rummage.window.close();

  const second = await openRummage(desktop);
  assert.ok(await filesDone(second) >= done, 'what was done stays done');
  await second.window.close();
});

/** Rummage with many files to index, some of which are done: `{ rummage, done }`. */
async function atWork(desktop) {
  const folder = writeFolder(desktop, 'much', prose(FILES));
  const rummage = await openRummage(desktop);
  await rummage.drop(folder);
  const done = await until('some files are indexed', () => filesDone(rummage), { seconds: 90 });
  assert.ok(done < FILES, 'it is in the middle of its work');
  return { rummage, done };
}

async function filesDone(rummage) {
  const indexing = await rummage.window.find('progressbar', 'Indexing', { seconds: 30 });
  return Number(await indexing.attribute('aria-valuenow'));
}

function workersOf(app) {
  return descendantsOf(app.pid).filter((one) => one.program === 'rummage-worker');
}
