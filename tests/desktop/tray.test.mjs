// A window that people keep open: closed to the tray, paused and ended there, summoned
// by keys, and back where it was.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { Desktop } from './harness/desktop.mjs';
import { windowNamed } from './harness/drag.mjs';
import { descendantsOf } from './harness/processes.mjs';
import { openRummage, TITLE, writeFolder } from './harness/rummage.mjs';
import { openTray } from './harness/tray.mjs';
import { until } from './harness/until.mjs';

const FILES = { 'radiator.txt': 'The feline slept upon the warm radiator, and purred.\n' };

test('a closed window waits in the tray, which says how it stands, pauses and ends it', { timeout: 120_000 }, async (t) => {
  const desktop = await Desktop.open(t);
  const tray = await openTray(desktop);
  const rummage = await openRummage(desktop);
  await rummage.drop(writeFolder(desktop, 'notes', FILES));
  await rummage.isUpToDate(1);
  await until('the tray says so', async () => (await tray.shown()).menu?.[0] === 'Up to date: 1 file');
  assert.equal((await tray.shown()).title, TITLE);

  await rummage.closeWindow();
  await until('the window is out of sight', () => visible(desktop).length === 0);
  assert.ok(rummage.process, 'the program is still there');

  assert.equal(await tray.press('Pause indexing'), true);
  await until('the tray says paused', async () => (await tray.shown()).menu?.[0] === 'Paused');
  assert.equal(await tray.press('Resume indexing'), true);
  await until('it goes on', async () => (await tray.shown()).tip === 'Up to date: 1 file');

  assert.equal(await tray.press('Open Rummage'), true);
  await until('the window is in sight again', () => visible(desktop).length > 0);

  const { pid } = rummage.process;
  assert.equal(await tray.press('Quit'), true);
  await until('the program has ended', () => !existsSync(`/proc/${pid}`));
  assert.deepEqual(descendantsOf(pid), []);
});

test('without a tray, closing the window ends the program, and the settings say so', { timeout: 120_000 }, async (t) => {
  const desktop = await Desktop.open(t);
  const rummage = await openRummage(desktop);
  await rummage.drop(writeFolder(desktop, 'notes', FILES));
  await (await rummage.window.find('button', 'Settings')).click();
  await until('the settings say so', async () => /This desktop has no tray, so closing/.test(await rummage.text()));
  const { pid } = rummage.process;
  await rummage.closeWindow();
  await until('the program has ended', () => !existsSync(`/proc/${pid}`));
});

test('keys pressed anywhere summon the window, ready to be asked', { timeout: 120_000 }, async (t) => {
  const desktop = await Desktop.open(t);
  const tray = await openTray(desktop);
  const rummage = await openRummage(desktop);
  await rummage.drop(writeFolder(desktop, 'notes', FILES));
  await rummage.isUpToDate(1);
  await until('the tray is there', async () => (await tray.shown()).title === TITLE);
  await rummage.closeWindow();
  await until('the window is out of sight', () => visible(desktop).length === 0);

  desktop.run('xdotool', ['key', 'ctrl+alt+space']);
  await until('the window is in sight', () => visible(desktop).length > 0);
  const window = await windowNamed(desktop, TITLE);
  await until('the window has the focus', () => desktop.run('xdotool', ['getactivewindow']).trim() === window);
  desktop.run('xdotool', ['type', 'radiator']);
  await until('what is typed is asked', async () => (await rummage.firstResult()).includes('radiator.txt'));
  await rummage.window.close();
});

test('keys that another program has are named beside their field', { timeout: 120_000 }, async (t) => {
  const desktop = await Desktop.open(t);
  const other = await openRummage(desktop, { data: 'other' });
  await other.drop(writeFolder(desktop, 'notes', FILES));
  await (await other.window.find('button', 'Settings')).click();
  const field = await other.window.find('textbox', 'Summon Rummage');
  assert.equal(await field.property('value'), 'Ctrl+Alt+Space');
  // The window manager of this desktop closes windows by these.
  await field.click();
  await other.window.press('Alt', 'F4');
  await until('it says why', async () => /Another program has taken Alt\+F4/.test(await other.text()));
  await other.window.press('Control', 'Shift', 'k');
  await until('others are taken', async () => (await field.property('value')) === 'Ctrl+Shift+K');
  await until('it is saved', () => /shortcut = "Ctrl\+Shift\+K"/.test(settingsOf(desktop, 'other')));
  await other.window.close();
});

test('the window is back where it was', { timeout: 120_000 }, async (t) => {
  const desktop = await Desktop.open(t);
  const first = await openRummage(desktop);
  const window = await windowNamed(desktop, TITLE);
  desktop.run('xdotool', ['windowsize', '--sync', window, '700', '500']);
  desktop.run('xdotool', ['windowmove', '--sync', window, '321', '123']);
  // A frame counts differently for each way of asking, so like is compared with like.
  const before = place(desktop, window);
  const { pid } = first.process;
  await first.closeWindow();
  await until('the program has ended', () => !existsSync(`/proc/${pid}`));
  const kept = JSON.parse(readFileSync(join(desktop.folder, 'rummage-data', 'window.json'), 'utf8'));
  assert.deepEqual([kept.width, kept.height], [700, 500]);

  const second = await openRummage(desktop);
  const [width, height] = await second.window.evaluate('return [innerWidth, innerHeight]');
  assert.deepEqual([width, height], [700, 500]);
  assert.deepEqual(place(desktop, await windowNamed(desktop, TITLE)), before);
  await second.window.close();
});

function settingsOf(desktop, data) {
  const path = join(desktop.folder, data, 'settings.toml');
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

function place(desktop, window) {
  const shell = desktop.run('xdotool', ['getwindowgeometry', '--shell', window]);
  const number = (name) => Number(new RegExp(`^${name}=(-?\\d+)$`, 'm').exec(shell)[1]);
  return { x: number('X'), y: number('Y') };
}

function visible(desktop) {
  try {
    return desktop.run('xdotool', ['search', '--onlyvisible', '--name', `^${TITLE}$`]).trim().split('\n');
  } catch {
    return []; // xdotool fails when it finds none.
  }
}
