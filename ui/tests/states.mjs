// Every state of the window, and how a person comes to it: for pictures that are looked
// at, and for tests of what must hold in all of them. Knows neither.

const press = async (page, ...keys) => {
  for (const key of keys) await page.keyboard.press(key);
};
const button = (page, name) => page.getByRole('button', { name, exact: true });
const dialog = (page) => page.getByRole('dialog');
const push = (page, change) => page.evaluate((change) => window.fake.push(change), change);

async function search(page, query = 'heat pump') {
  await page.getByRole('searchbox').fill(query);
  await page.locator('main').and(page.locator(`[data-answered='${query}']`)).waitFor();
}

async function look(page, down = 0) {
  await search(page);
  await press(page, ...Array(down + 1).fill('ArrowDown'), 'ArrowUp', ' ');
  await page.getByText(/Passage [\d,]+ of/).waitFor({ state: 'attached' });
}

/** A narrow window has them behind a button. */
async function folders(page) {
  const shown = button(page, 'Folders');
  if (await shown.isVisible()) await shown.click();
}

async function ledger(page) {
  await button(page, 'Files').click();
  await page.getByRole('gridcell').first().waitFor();
}

async function health(page) {
  await button(page, 'Health').click();
  await dialog(page).getByRole('region', { name: 'Workers' }).waitFor();
}

async function settings(page, to) {
  await press(page, 'Control+,');
  await page.getByText('settings.toml').waitFor();
  if (to) await page.getByText(to).scrollIntoViewIfNeeded();
}

/** By name: the scene of the sample data, and the steps from there. */
export const STATES = {
  first: ['first', async () => {}],
  drop: ['first', (page) => page.evaluate(() => window.fake.drag({ type: 'enter', paths: ['/a', '/b'] }))],
  refused: ['first', (page) => page.evaluate(() => window.fake.drag({ type: 'drop', paths: ['/proc/1'] }))],
  unreadable: ['unreadable', async () => {}],
  early: ['slow', (page) => page.getByRole('searchbox').fill('heat')],
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
  good: ['ready', async (page) => {
    await search(page);
    await press(page, 'Control+d', 'ArrowDown', 'Alt+ArrowDown', 'ArrowDown', 'Control+d');
    await page.getByRole('option', { name: /identical copy.*Marked good/i }).waitFor();
  }],
  'good-preview': ['ready', async (page) => {
    await look(page);
    await page.getByRole('region', { name: 'Preview' }).getByRole('button', { name: 'Good result' }).click();
    await page.getByRole('button', { name: 'Good result', pressed: true }).first().waitFor();
  }],
  nothing: ['indexing', (page) => search(page, 'zzz')],
  failed: ['ready', async (page) => {
    await page.getByRole('searchbox').fill('fail:');
    await page.getByText('The index is being rebuilt').waitFor();
  }],
  waiting: ['ready', async (page) => {
    await search(page);
    await page.evaluate(() => (window.fake.answerDelayMs = 60_000));
    await page.getByRole('searchbox').fill('heating');
    await page.waitForFunction(() => window.fake.searches.at(-1) === 'heating');
  }],
  many: ['many', (page) => search(page, 'heat')],
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
    await page.getByText('4 files · 12 ms').waitFor({ state: 'attached' });
  }],
  gone: ['ready', async (page) => {
    await look(page);
    await press(page, ...Array(4).fill('ArrowDown'));
    await page.getByText('The file is gone.').waitFor();
  }],
  hostile: ['hostile', (page) => look(page)],
  indexing: ['indexing', (page) => search(page)],
  paused: ['paused', async () => {}],
  battery: ['battery', async () => {}],
  loading: ['ready', (page) => push(page, { model: { id: 'm', name: 'm', dims: 1, state: 'loading', message: null } })],
  problems: ['problems', (page) => search(page)],
  folder: ['ready', async (page) => {
    await folders(page);
    await button(page, 'Archive 2019').click();
  }],
  'folder-paused': ['indexing', async (page) => {
    await folders(page);
    await button(page, 'Notes').click();
    await button(page, 'Pause').click();
    await button(page, 'Resume').waitFor();
  }],
  'folder-stop': ['ready', async (page) => {
    await folders(page);
    await button(page, 'Stop following Documents').click();
  }],
  ledger: ['ready', (page) => ledger(page)],
  failures: ['failures', async (page) => {
    await ledger(page);
    await dialog(page).getByRole('radio', { name: /^Failed/ }).check();
    await button(page, 'Retry: thesis.tex').click();
    await dialog(page).getByRole('status').getByText('thesis.tex').waitFor();
  }],
  'left-out': ['ready', async (page) => {
    await ledger(page);
    await dialog(page).getByRole('radio', { name: /^Skipped/ }).check();
    await page.getByRole('row').filter({ hasText: 'node_modules' }).click();
  }],
  'no-files': ['ready', async (page) => {
    await ledger(page);
    await dialog(page).getByRole('searchbox').fill('nowhere to be found');
    await page.getByText('No files here.').waitFor();
  }],
  health: ['indexing', (page) => health(page)],
  storm: ['storm', (page) => health(page)],
  'no-workers': ['problems', (page) => health(page)],
  moment: ['indexing', async (page) => {
    await health(page);
    await page.getByRole('slider', { name: 'Memory' }).focus();
    await press(page, 'ArrowLeft');
  }],
  settings: ['ready', (page) => settings(page)],
  'settings-wrong': ['ready', async (page) => {
    await settings(page);
    await page.getByLabel('Maximum file size', { exact: true }).fill('0');
    await page.getByText(/^Enter a whole number from 1 /).scrollIntoViewIfNeeded();
  }],
  'settings-fallback': ['ready', async (page) => {
    await settings(page);
    await page.getByRole('radio', { name: 'CUDA' }).check();
    await dialog(page).getByText(/^The model runs on the processor/).scrollIntoViewIfNeeded();
  }],
  measuring: ['ready', async (page) => {
    await settings(page);
    await page.evaluate(() => (window.fake.turnMs = 60_000));
    await button(page, 'Measure').click();
    await page.getByText('Turn 1 of 5').scrollIntoViewIfNeeded();
  }],
  measured: ['ready', async (page) => {
    await settings(page);
    await button(page, 'Measure').click();
    await page.getByRole('cell', { name: '158/s' }).scrollIntoViewIfNeeded();
  }],
  models: ['ready', async (page) => {
    await settings(page);
    await button(page, 'Import…').scrollIntoViewIfNeeded();
  }],
  'model-better': ['ready', async (page) => {
    await settings(page);
    await button(page, 'Fetch…: better').click();
    await button(page, 'Fetch it').scrollIntoViewIfNeeded();
  }],
  'model-fetching': ['ready', async (page) => {
    await settings(page);
    await page.evaluate(() => (window.fake.turnMs = 60_000));
    await button(page, 'Fetch…: better').click();
    await button(page, 'Fetch it').click();
    await page.getByText('bge-small-en-v1.5: 13.9 MB of 34.7 MB').scrollIntoViewIfNeeded();
  }],
  'model-use': ['ready', async (page) => {
    await settings(page);
    await button(page, 'Use: paraphrase-multilingual-MiniLM-L12-v2').click();
    await button(page, 'Use it').scrollIntoViewIfNeeded();
  }],
  switching: ['ready', async (page) => {
    await settings(page);
    await button(page, 'Use: paraphrase-multilingual-MiniLM-L12-v2').click();
    await button(page, 'Use it').click();
    await page.getByText('It has read 1,204 of 5,183 files.').scrollIntoViewIfNeeded();
  }],
  'model-remove': ['ready', async (page) => {
    await settings(page);
    await button(page, 'Remove: paraphrase-multilingual-MiniLM-L12-v2').click();
    await button(page, 'Remove it').scrollIntoViewIfNeeded();
  }],
  comparing: ['ready', async (page) => {
    await settings(page);
    await page.evaluate(() => (window.fake.turnMs = 60_000));
    await button(page, 'Compare').click();
    await page.getByText('Step 1 of 6').scrollIntoViewIfNeeded();
  }],
  compared: ['ready', async (page) => {
    await settings(page);
    await button(page, 'Import…').click();
    await button(page, 'Compare').click();
    await page.getByText('this model has not read enough of your files').scrollIntoViewIfNeeded();
  }],
  'models-refused': ['storm', async (page) => {
    await settings(page);
    await button(page, 'Import…').click();
    await page.getByText('it has no ONNX file').scrollIntoViewIfNeeded();
  }],
  desktop: ['problems', (page) => settings(page, 'Summon Rummage')],
  data: ['ready', (page) => settings(page, 'Settings file')],
  clear: ['ready', async (page) => {
    await settings(page);
    await button(page, 'Clear…').click();
    await button(page, 'Clear the index').scrollIntoViewIfNeeded();
  }],
};
