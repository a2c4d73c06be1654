// `node scripts/pictures.mjs FOLDER [STATE]`: pictures of the window in every state, light
// and dark, wide, small and at 200 %, to be looked at after a change of its looks. In
// Chromium, with the sample data; scripts/screenshot.mjs draws the real window.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { start } from '../ui/tests/harness.mjs';

const [, , folder, only] = process.argv;
if (!folder) throw new Error('Name the folder for the pictures.');

const SIZES = {
  wide: { width: 1280, height: 800 },
  small: { width: 800, height: 600 },
  double: { width: 640, height: 400, deviceScaleFactor: 2 },
};

const press = async (page, ...keys) => {
  for (const key of keys) await page.keyboard.press(key);
};
const button = (page, name) => page.getByRole('button', { name, exact: true });

async function search(page, query = 'heat pump') {
  await page.getByRole('searchbox').fill(query);
  await page.locator('main').and(page.locator(`[data-answered='${query}']`)).waitFor();
}

async function look(page, down = 0) {
  await search(page);
  await press(page, ...Array(down + 1).fill('ArrowDown'), 'ArrowUp', ' ');
  await page.getByText(/Passage [\d,]+ of/).waitFor({ state: 'attached' });
}

async function settings(page, to) {
  await press(page, 'Control+,');
  await page.getByText('settings.toml').waitFor();
  if (to) await page.getByText(to).scrollIntoViewIfNeeded();
}

/** What is shown, and how one comes there. */
const STATES = {
  first: ['first', async () => {}],
  drop: ['first', (page) => page.evaluate(() => window.fake.drag({ type: 'enter', paths: ['/a', '/b'] }))],
  refused: ['first', (page) => page.evaluate(() => window.fake.drag({ type: 'drop', paths: ['/proc/1'] }))],
  unreadable: ['unreadable', async () => {}],
  questions: ['ready', (page) => page.getByText('Try one of these').waitFor()],
  recent: ['ready', async (page) => {
    for (const query of ['heat pump', 'gas type:pdf', 'heating after:2024']) {
      await search(page, query);
      await press(page, 'Enter');
    }
    await press(page, 'Escape');
  }],
  results: ['ready', (page) => search(page)],
  alike: ['ready', async (page) => {
    await search(page);
    await press(page, 'ArrowDown', 'Alt+ArrowDown', 'ArrowDown');
  }],
  nothing: ['indexing', (page) => search(page, 'zzz')],
  failed: ['ready', async (page) => {
    await page.getByRole('searchbox').fill('fail:');
    await page.getByText('The index is being rebuilt').waitFor();
  }],
  filters: ['ready', async (page) => {
    await search(page, 'heat type:pdf in:"Archive 2019"');
    await button(page, 'Date').click();
  }],
  preview: ['ready', (page) => look(page)],
  pdf: ['ready', (page) => look(page, 1)],
  program: ['ready', async (page) => {
    await look(page, 2);
    await page.locator('pre .comment').first().waitFor();
  }],
  why: ['ready', async (page) => {
    await look(page);
    await button(page, 'Why is this here?').click();
  }],
  similar: ['ready', async (page) => {
    await look(page);
    await button(page, 'Find similar').click();
    await page.getByText('4 files · 12 ms').waitFor();
  }],
  gone: ['ready', async (page) => {
    await look(page);
    await press(page, ...Array(4).fill('ArrowDown'));
    await page.getByText('The file is gone.').waitFor();
  }],
  hostile: ['hostile', (page) => look(page)],
  indexing: ['indexing', (page) => search(page)],
  paused: ['paused', async () => {}],
  problems: ['problems', (page) => search(page)],
  folder: ['ready', async (page) => {
    if (page.viewportSize().width < 736) await button(page, 'Folders').click();
    await button(page, 'Archive 2019').click();
  }],
  ledger: ['failures', (page) => button(page, 'Files').click()],
  health: ['indexing', (page) => button(page, 'Health').click()],
  storm: ['storm', (page) => button(page, 'Health').click()],
  settings: ['ready', (page) => settings(page)],
  desktop: ['problems', (page) => settings(page, 'Summon Rummage')],
};

mkdirSync(folder, { recursive: true });
const harness = await start();
for (const [name, [scene, steps]] of Object.entries(STATES).filter(([name]) => !only || name === only))
  for (const colorScheme of ['light', 'dark'])
    for (const [size, { width, height, deviceScaleFactor = 1 }] of Object.entries(SIZES)) {
      const { page, close } = await harness.open(scene, {
        width, height, deviceScaleFactor, colorScheme, reducedMotion: 'reduce',
      });
      page.setDefaultTimeout(4000);
      try {
        await steps(page);
        await page.evaluate(() => Promise.allSettled(document.getAnimations().map((one) => one.finished)));
        await page.screenshot({ path: join(folder, `${name}-${size}-${colorScheme}.png`) });
      } catch (error) {
        console.error(`${name}, ${size}, ${colorScheme}: ${error.message.split('\n')[0]}`);
        process.exitCode = 1;
      }
      await close();
    }
await harness.close();
