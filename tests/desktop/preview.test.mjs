// What was found is looked into, filtered and taken along, in the real window.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Desktop } from './harness/desktop.mjs';
import { openRummage, writeFolder } from './harness/rummage.mjs';
import { until } from './harness/until.mjs';

const LINES = Array.from({ length: 400 }, (_, n) => `Entry ${n}. The lamp was lit at dusk, the oil was changed and ${n} ships went by.`);
const FILES = {
  'logbook.txt': LINES.join('\n\n'),
  'lamp.md': '# The lamp\n\nIts **wick** is trimmed daily. <script>document.title = "run"</script>\n',
  'lamp.py': 'def trim_wick(lamp):\n    """Cut it short."""\n    return lamp.wick / 2\n',
};

test('a result is looked into where it stands, and copied', { timeout: 120_000 }, async (t) => {
  const desktop = await Desktop.open(t);
  const rummage = await openRummage(desktop);
  await rummage.drop(writeFolder(desktop, 'notes', FILES));
  await rummage.isUpToDate(3);

  await rummage.ask('"entry 217"');
  await until('it is found', async () => (await rummage.firstResult()).includes('logbook.txt'));
  await rummage.window.press('ArrowUp');
  await rummage.window.press(' ');
  const pane = () => rummage.window.evaluate(`return document.querySelector('.preview')?.innerText ?? ''`);
  await until('the passage is there', async () => (await pane()).includes('217 ships'));
  const chosen = await rummage.window.evaluate(`
    const chosen = document.querySelector('.preview [data-chosen]');
    const [own, text] = [chosen, chosen.parentElement].map((one) => one.getBoundingClientRect());
    return [chosen.innerText.includes('Entry 217'), own.top >= text.top - 1 && own.top < text.bottom];
  `);
  assert.deepEqual(chosen, [true, true]);

  await rummage.window.press('Control', 'c');
  await until('it says that it is copied', async () => /Copied, with the path of logbook\.txt/.test(await rummage.text()));
  await (await rummage.window.find('button', 'Clear the search')).click();
  await rummage.window.press('Control', 'v');
  const box = await rummage.window.find('searchbox', 'Search');
  assert.match(await box.property('value'), /Entry 217\..*logbook\.txt$/s);
  await rummage.window.close();
});

test('a filter narrows what is found, and Markdown runs nothing', { timeout: 120_000 }, async (t) => {
  const desktop = await Desktop.open(t);
  const rummage = await openRummage(desktop);
  await rummage.drop(writeFolder(desktop, 'notes', FILES));
  await rummage.isUpToDate(3);
  await rummage.ask('wick of the lamp');
  await until('all are found', async () => (await rummage.window.select('[role=option]')).length === 3);
  await (await rummage.window.find('button', 'Type')).click();
  await (await rummage.window.find('menuitemradio', 'Notes and text')).click();
  await until('two are left', async () => (await rummage.window.select('[role=option]')).length === 2);
  const box = await rummage.window.find('searchbox', 'Search');
  assert.equal((await box.property('value')).trim(), 'wick of the lamp type:md,txt');

  await rummage.window.evaluate(`document.querySelector('[data-path$="lamp.md"]').click()`);
  await (await rummage.window.find('button', 'Preview')).click();
  await until('the text is drawn', async () => (
    await rummage.window.evaluate(`return document.querySelector('.preview strong')?.innerText`)) === 'wick');
  assert.equal(await rummage.window.evaluate('return document.title'), 'Rummage');
  assert.equal(await rummage.window.evaluate(`return document.querySelectorAll('.preview script').length`), 0);
  await rummage.window.close();
});

test('the page is given nothing that is not in the ledger, and no more than it may ask for', { timeout: 120_000 }, async (t) => {
  const desktop = await Desktop.open(t);
  const rummage = await openRummage(desktop);
  await rummage.drop(writeFolder(desktop, 'notes', FILES));
  await rummage.isUpToDate(3);
  const ask = (command, args = {}) => rummage.window.evaluate(`
    const { invoke } = window.__TAURI_INTERNALS__;
    return invoke(...arguments).then((answer) => ({ answer }), (refused) => ({ refused: refused.kind ?? String(refused) }));
  `, command, args);
  const place = { at: 0, before: 0, after: 9 };
  for (const path of ['/etc/passwd', `${desktop.env.HOME}/notes/../notes/lamp.md`, 'lamp.md', ''])
    for (const [command, args] of [
      ['preview', { path, ...place }],
      ['similar', { path, at: 0, limit: 9 }],
      ['open_file', { path }],
      ['reveal_file', { path }],
      ['read_again', { path }],
      ['folder_bytes', { path }],
    ]) assert.equal((await ask(command, args)).refused, 'usage', `${command} ${path}`);

  const logbook = `${desktop.env.HOME}/notes/logbook.txt`;
  const { answer } = await ask('preview', { path: logbook, at: 0, before: 0, after: 1e9 });
  assert.ok(answer.passages.length <= 60, `${answer.passages.length} passages`);
  for (const args of [{ at: -1 }, { at: 'x' }, { at: 1.5 }])
    assert.ok((await ask('preview', { path: logbook, ...place, ...args })).refused);
  for (const command of ['plugin:event|emit', 'plugin:dialog|open', 'plugin:opener|open_path', 'plugin:window|close'])
    assert.match((await ask(command, { event: 'status', payload: {} })).refused, /not allowed|not found/i, command);
  await rummage.window.close();
});
