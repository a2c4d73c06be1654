// A setting takes effect while Rummage runs, and outlives it.

import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { ROOT } from '../../scripts/setup/shell.mjs';
import { Desktop } from './harness/desktop.mjs';
import { prose } from './harness/prose.mjs';
import { openRummage, writeFolder } from './harness/rummage.mjs';
import { until } from './harness/until.mjs';

const NOTES = {
  'fern.txt': 'Water the fern twice a week.\n',
  'key.txt': 'The spare key is with the neighbour.\n',
};
const MORE = 24;
/** Work for as long as the test takes. */
const MUCH = 2000;

test('the pool grows and shrinks with its setting, without a restart', { timeout: 240_000 }, async (t) => {
  const desktop = await Desktop.open(t);
  const rummage = await openRummage(desktop);
  await rummage.drop(writeFolder(desktop, 'much', prose(MUCH)));
  // Considerate, it would give way to whatever else this machine does.
  await rummage.throttle('Full speed');
  const { pid } = rummage.process;
  const runsWith = (size) => until(
    `${size} embedding workers run`, () => rummage.workers('embed').length === size, { seconds: 60 },
  );

  await openSettings(rummage.window);
  const auto = Number(/\((\d+)\)/.exec(await (await autoFor(rummage.window, 'Pool size')).label())[1]);
  await runsWith(auto);
  for (const size of [3, 1]) {
    await set(rummage.window, 'Pool size', size);
    await runsWith(size);
  }
  await set(rummage.window, 'Pool size', 'auto');
  await runsWith(auto);
  assert.equal(rummage.process.pid, pid);
  await rummage.window.close();
});

test('both batch sizes are kept, and the next files are leased by them, without a restart', { timeout: 240_000 }, async (t) => {
  const desktop = await Desktop.open(t);
  const rummage = await openRummage(desktop);
  await rummage.drop(writeFolder(desktop, 'notes', NOTES));
  await rummage.isUpToDate(Object.keys(NOTES).length);
  const { pid } = rummage.process;
  // Considerate, it may let workers go, and what they have done with them.
  await rummage.throttle('Full speed');

  await openSettings(rummage.window);
  await set(rummage.window, 'Passages per lease', 1);
  await set(rummage.window, 'Tokens per model call', 48);
  const file = join(desktop.folder, 'rummage-data', 'settings.toml');
  await until('both are in the settings file', () => {
    const text = readFileSync(file, 'utf8');
    return /^passages_per_lease = 1$/m.test(text) && /^tokens_per_call = 48$/m.test(text);
  });
  await rummage.window.press('Escape');

  await rummage.drop(writeFolder(desktop, 'much', prose(MORE)));
  await rummage.isUpToDate(Object.keys(NOTES).length + MORE);
  assert.equal(rummage.process.pid, pid);
  await until('each passage had a lease of its own', async () => await leases(rummage) >= MORE);
  await showsBatchSizes(rummage.window);
  await rummage.window.close();

  const second = await openRummage(desktop);
  await showsBatchSizes(second.window);
  await second.window.close();
});

/** Leases that the embedding workers of now have done, as the Health panel lists them. */
async function leases(rummage) {
  await rummage.openHealth();
  const shown = await rummage.shownWorkers();
  await rummage.window.press('Escape');
  return shown.reduce((sum, { leases }) => sum + leases, 0);
}

async function showsBatchSizes(window) {
  await openSettings(window);
  for (const [label, number] of [['Passages per lease', '1'], ['Tokens per model call', '48']]) {
    const field = await window.find('textbox', label);
    assert.equal(await field.property('value'), number);
    assert.equal(await (await autoFor(window, label)).property('checked'), false);
  }
}

test('another model is used from the settings once it has read everything', { timeout: 240_000 }, async (t) => {
  const desktop = await Desktop.open(t);
  const { data } = addTwin(desktop);
  const rummage = await openRummage(desktop);
  await rummage.drop(writeFolder(desktop, 'notes', NOTES));
  await rummage.isUpToDate(Object.keys(NOTES).length);
  await rummage.throttle('Full speed');

  await openSettings(rummage.window);
  await (await rummage.window.find('button', 'Use: twin')).click();
  await (await rummage.window.find('button', 'Use it')).click();
  await rummage.window.find('button', 'Use: all-MiniLM-L6-v2', { seconds: 60 });
  assert.match(readFileSync(join(data, 'settings.toml'), 'utf8'), /^model = "twin"$/m);
  await rummage.window.close();
});

test('the models are judged by a result that was marked good, and one is removed', { timeout: 240_000 }, async (t) => {
  const desktop = await Desktop.open(t);
  const { twin } = addTwin(desktop);
  const rummage = await openRummage(desktop);
  await rummage.drop(writeFolder(desktop, 'notes', NOTES));
  await rummage.isUpToDate(Object.keys(NOTES).length);
  await rummage.ask('watering plants');
  await until('the answer is there', async () => (await rummage.firstResult()).includes('fern.txt'), { seconds: 10 });
  await rummage.window.press('Control', 'd');
  await until('it is marked good', async () => (await rummage.window.select('[role=option] [title="Marked good"]')).length === 1);

  await openSettings(rummage.window);
  await (await rummage.window.find('button', 'Compare')).click();
  const figures = () => rummage.window.evaluate(`
    const rows = document.querySelectorAll('dialog tbody tr');
    return [...rows].map((row) => [...row.cells].map((cell) => cell.innerText.trim()));
  `);
  await until('both are measured', async () => (await figures()).length === 2, { seconds: 90 });
  const [used, other] = await figures();
  assert.deepEqual([used[1], other.slice(0, 2)], ['100 %', ['Twin', '–']]);
  for (const row of [used, other]) assert.match(row.slice(2).join(), /^[\d.,]+\/s,[\d.]+ ms,\d+ MB,[\d.]+ MB$/);

  await (await rummage.window.find('button', 'Remove: twin')).click();
  await (await rummage.window.find('button', 'Remove it')).click();
  await until('its files are gone', () => !existsSync(twin));
  await rummage.window.close();
});

/** A second model, whose vectors are others, lies where added models do. */
function addTwin(desktop) {
  const data = join(desktop.folder, 'rummage-data');
  const twin = join(data, 'models', 'twin');
  cpSync(join(ROOT, 'assets', 'models', 'all-MiniLM-L6-v2'), twin, { recursive: true });
  const described = JSON.parse(readFileSync(join(twin, 'model.json'), 'utf8'));
  Object.assign(described, { id: 'twin', name: 'Twin', passage_prefix: 'passage: ' });
  writeFileSync(join(twin, 'model.json'), JSON.stringify(described));
  return { data, twin };
}

async function openSettings(window) {
  await (await window.find('button', 'Settings')).click();
  await window.find('dialog', 'Settings');
}

async function set(window, label, number) {
  const auto = await autoFor(window, label);
  if ((await auto.property('checked')) !== (number === 'auto')) await auto.click();
  if (number === 'auto') return;
  const field = await window.find('textbox', label);
  await until('the number can be typed', async () => !(await field.property('disabled')));
  await field.clear();
  await field.type(String(number));
  await window.press('Tab'); // A setting is saved when its field is left.
}

function autoFor(window, label) {
  return window.find('checkbox', new RegExp(`^Auto.* for ${label}$`));
}
