// Every file is accounted for, and what did not make it can be helped from the list.

import assert from 'node:assert/strict';
import { linkSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';

import { Desktop } from './harness/desktop.mjs';
import { standInForOpeners } from './harness/openers.mjs';
import { openRummage, writeFolder } from './harness/rummage.mjs';
import { until } from './harness/until.mjs';

const BREAD = 'Feed the starter in the evening and bake the sourdough the day after.\n';
const KETTLE = 'The copper kettle stands upon the stove.\n';

test('a failed file is read again once it is mended', { timeout: 180_000 }, async (t) => {
  const desktop = await Desktop.open(t);
  const folder = writeFolder(desktop, 'notes', { 'bread.md': BREAD });
  // Written to under its other name, it changes without the folder's knowledge.
  const elsewhere = join(desktop.env.HOME, 'elsewhere');
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, 'kettle.docx'), 'PK\x03\x04 and then nothing that an archive holds');
  linkSync(join(elsewhere, 'kettle.docx'), join(folder, 'kettle.docx'));
  const rummage = await openRummage(desktop);
  await rummage.drop(folder);

  await (await rummage.window.find('button', '1 failed', { seconds: 60 })).click();
  const retry = await rummage.window.find('button', 'Retry: kettle.docx');
  assert.match(await dialogText(rummage), /kettle\.docx[^]*It cannot be understood[^]*Tried once/);
  assert.deepEqual(await axeFinds(rummage.window), []);

  writeFileSync(join(elsewhere, 'kettle.docx'), KETTLE);
  await retry.click();
  await until('it is said', async () => /kettle\.docx is read again/.test(await dialogText(rummage)));
  await until('nothing is failed', async () => /No files here/.test(await dialogText(rummage)), { seconds: 60 });
  await rummage.window.press('Escape');
  await rummage.isUpToDate(2);
  await finds(rummage, 'copper kettle', 'kettle.docx');
  await rummage.window.close();
});

test('what a rule leaves out can be opened, indexed anyway and then found', { timeout: 180_000 }, async (t) => {
  const desktop = await Desktop.open(t);
  const openers = await standInForOpeners(desktop);
  const folder = writeFolder(desktop, 'notes', { 'bread.md': BREAD, 'kettle.pem': KETTLE });
  const rummage = await openRummage(desktop);
  await rummage.drop(folder);
  await rummage.isUpToDate(1);

  await (await rummage.window.find('button', '1 skipped')).click();
  await until('the rule is named', async () => /The pattern \*\.pem in the settings/.test(await dialogText(rummage)));
  await (await rummage.window.find('button', 'Open: kettle.pem')).click();
  await until('it is opened', () => openers.opened().length > 0);
  assert.deepEqual(openers.opened(), [join(folder, 'kettle.pem')]);

  await (await rummage.window.find('button', 'Index anyway: kettle.pem')).click();
  await until('it is said, with the rule', async () => (
    /kettle\.pem is indexed, against this: the pattern \*\.pem/.test(await dialogText(rummage))
  ));
  await rummage.window.press('Escape');
  await rummage.isUpToDate(2);
  await finds(rummage, 'copper kettle', 'kettle.pem');
  await rummage.window.close();
});

test('a folder that is away keeps its index, and is watched again once it is back', { timeout: 240_000 }, async (t) => {
  const desktop = await Desktop.open(t);
  const folder = writeFolder(desktop, 'disk', { 'bread.md': BREAD });
  const rummage = await openRummage(desktop);
  await rummage.drop(folder);
  await rummage.isUpToDate(1);
  const embedded = await passagesEmbedded(rummage);

  renameSync(folder, `${folder}-unplugged`);
  await until('it is shown as away', async () => /Away\. What it held/.test(await rummage.text()), { seconds: 30 });
  await finds(rummage, 'sourdough starter', 'bread.md');

  renameSync(`${folder}-unplugged`, folder);
  await until('it is back', async () => !/Away\./.test(await rummage.text()), { seconds: 30 });
  await rummage.isUpToDate(1);
  assert.equal(await passagesEmbedded(rummage), embedded, 'nothing was embedded anew');
  writeFileSync(join(folder, 'kettle.txt'), KETTLE);
  await finds(rummage, 'copper kettle', 'kettle.txt');
  await rummage.window.close();
});

function dialogText(rummage) {
  return rummage.window.evaluate("return document.querySelector('dialog').innerText");
}

async function finds(rummage, question, name) {
  await rummage.ask(question);
  await until(`${name} is found`, async () => (await rummage.firstResult()).includes(name), { seconds: 30 });
}

async function passagesEmbedded(rummage) {
  await rummage.openHealth();
  const workers = await rummage.shownWorkers();
  await rummage.window.press('Escape');
  return workers.filter(({ role }) => role === 'Embeds passages').reduce((sum, { done }) => sum + done, 0);
}

/** What axe finds wrong with the page as this web view shows it. */
async function axeFinds(window) {
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  await window.evaluate(`${axe};
    window.axe.run().then(({ violations }) => {
      document.body.dataset.axe = JSON.stringify(violations.map(({ id, nodes }) => [id, nodes[0].html]));
    });`);
  return JSON.parse(await until('axe has looked', () => window.evaluate('return document.body.dataset.axe')));
}
