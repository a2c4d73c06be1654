// The Health panel tells of the workers as they are, and the throttle holds them.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Desktop } from './harness/desktop.mjs';
import { prose } from './harness/prose.mjs';
import { openRummage, writeFolder } from './harness/rummage.mjs';
import { until } from './harness/until.mjs';

const FILES = 1500;
/** A number that stays for so many looks stays: at work it moves several times in these. */
const LOOKS = 50;

test('workers are shown as they are; pausing holds them, resuming lets them finish', { timeout: 420_000 }, async (t) => {
  const desktop = await Desktop.open(t);
  const rummage = await openRummage(desktop);
  await rummage.drop(writeFolder(desktop, 'much', prose(FILES)));
  // Considerate, it would give way to whatever else this machine does.
  await rummage.throttle('Full speed');

  await rummage.openHealth();
  await until('passages are embedded', async () => (
    (await rummage.shownWorkers()).some(({ role, done }) => role === 'Embeds passages' && done > 0)
  ), { seconds: 90 });
  await until('the workers shown are the processes that run', () => showsProcesses(rummage));
  await until('memory is charted', async () => /^[1-9]\d* MB, now$/.test(await newest(rummage, 'Memory')));
  await until('throughput is charted', async () => /^[1-9].*, now$/.test(await newest(rummage, 'Throughput')));
  await rummage.window.press('Escape');

  await until('some files are indexed', () => filesDone(rummage), { seconds: 60 });
  await rummage.throttle('Paused');
  const resume = await rummage.window.find('button', 'Resume');
  const held = await restsAt(rummage);
  assert.ok(held > 0 && held < FILES, `it was paused in the middle of its work, at ${held}`);
  await rummage.ask('orchard violin');
  await until('search works while paused', async () => /note-\d+\.txt/.test(await rummage.firstResult()));
  assert.equal(await filesDone(rummage), held, 'a question sets nothing going');

  await resume.click();
  await rummage.isUpToDate(FILES, { seconds: 300 });
  assert.equal(await (await rummage.window.find('radio', 'Full speed')).property('checked'), true);
  await rummage.window.close();
});

/** Whether each worker that has a process is listed with it, under what it does. */
async function showsProcesses(rummage) {
  const shown = await rummage.shownWorkers();
  const duties = { 'Reads files': 'extract', 'Embeds passages': 'embed', 'Answers questions': 'query' };
  return Object.entries(duties).every(([role, duty]) => {
    const listed = shown.filter((one) => one.role === role && one.pid !== null).map(({ pid }) => pid);
    const running = rummage.workers(duty).map(({ pid }) => pid);
    return listed.length > 0 && listed.sort().join() === running.sort().join();
  });
}

/** The newest figure of a chart, as it is read out. */
async function newest(rummage, name) {
  const [chart] = await rummage.window.all('slider', name);
  return chart ? chart.attribute('aria-valuetext') : '';
}

/** The number of files done, once it no longer moves. */
async function restsAt(rummage) {
  let [held, looks] = [-1, 0];
  await until('the work rests', async () => {
    const done = await filesDone(rummage);
    [held, looks] = done === held ? [held, looks + 1] : [done, 0];
    return looks === LOOKS;
  }, { seconds: 60 });
  return held;
}

async function filesDone(rummage) {
  const indexing = await rummage.window.find('progressbar', 'Indexing');
  return Number(await indexing.attribute('aria-valuenow'));
}
