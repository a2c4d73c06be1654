// Searching does not wait for indexing.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Desktop } from './harness/desktop.mjs';
import { prose } from './harness/prose.mjs';
import { openRummage, writeFolder } from './harness/rummage.mjs';
import { until } from './harness/until.mjs';

const FILES = 3000;

test('copies of a file are one result, which opens to all of them', { timeout: 120_000 }, async (t) => {
  const desktop = await Desktop.open(t);
  const text = 'The feline slept upon the warm radiator, and purred.\n';
  const notes = writeFolder(desktop, 'notes', { 'one.txt': text, 'two.txt': text });
  const rummage = await openRummage(desktop);
  await rummage.drop(notes);
  await rummage.isUpToDate(2);
  await rummage.ask('my cat likes to nap');
  await until('the result says so', async () => (await rummage.firstResult()).includes('and 1 identical copy'), { seconds: 10 });
  await (await rummage.window.find('button', 'Show 1 more')).click();
  await until('both are listed', async () => (await rummage.window.select('[role=option]')).length === 2);
  await rummage.window.close();
});

test('a question is answered while files are being indexed', { timeout: 240_000 }, async (t) => {
  const desktop = await Desktop.open(t);
  const notes = writeFolder(desktop, 'notes', {
    'radiator.txt': 'The feline slept upon the warm radiator, and purred.\n',
    'bread.md': '# Sourdough\n\nFeed the starter in the evening and bake it the day after.\n',
  });
  const much = writeFolder(desktop, 'much', prose(FILES));
  const rummage = await openRummage(desktop);
  await rummage.drop(notes);
  await rummage.isUpToDate(2);

  await rummage.drop(much);
  const indexing = await rummage.window.find('progressbar', 'Indexing', { seconds: 30 });
  await rummage.ask('my cat likes to nap');
  await until('the answer is there', async () => (await rummage.firstResult()).includes('radiator.txt'), { seconds: 10 });
  const [done, total] = await Promise.all(['aria-valuenow', 'aria-valuemax'].map((name) => indexing.attribute(name)));
  assert.ok(Number(done) < Number(total), `it is still indexing: ${done} of ${total}`);

  await rummage.ask('orchard violin');
  await until('new files are found as they come', async () => /note-\d+\.txt/.test(await rummage.firstResult()), { seconds: 30 });
  await rummage.window.close();
});
