// `node scripts/screenshot.mjs [NAME]`: draws the pictures in docs/, or one of them.
// Opens the real window on documents of nobody, lets it work, and takes its
// picture. Linux only, with what the tests need.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { Desktop } from '../tests/desktop/harness/desktop.mjs';
import { windowNamed } from '../tests/desktop/harness/drag.mjs';
import { prose } from '../tests/desktop/harness/prose.mjs';
import { openRummage, TITLE, writeFolder } from '../tests/desktop/harness/rummage.mjs';
import { until } from '../tests/desktop/harness/until.mjs';
import { COUNT, QUESTION, writeDocuments, writeUnread } from './screenshot/documents.mjs';
import { ROOT, say } from './setup/shell.mjs';

const PICTURES = [
  { name: 'window', theme: 'Adwaita', show: showAnswer },
  { name: 'window-dark', theme: 'Adwaita:dark', show: showAnswer },
  { name: 'preview', theme: 'Adwaita', show: showPreview },
  { name: 'preview-dark', theme: 'Adwaita:dark', show: showPreview },
  { name: 'health', theme: 'Adwaita', show: showHealth },
  { name: 'files', theme: 'Adwaita', show: showFiles },
];
// The page is drawn a moment after it is there.
const PAINT_MS = 1_000;
/** Files that keep the workers busy for longer than the charts take to fill. */
const MUCH = 16_000;
/** Nearly two minutes of them. */
const SAMPLES = 58;

mkdirSync(join(ROOT, 'docs'), { recursive: true });
const [, , only] = process.argv;
for (const picture of PICTURES.filter(({ name }) => only === undefined || only === name)) {
  const path = join(ROOT, 'docs', `${picture.name}.png`);
  await draw(path, picture);
  say(`Drew ${path}`);
}

async function draw(path, { theme, show }) {
  const desktop = new Desktop();
  desktop.env.GTK_THEME = theme;
  try {
    await desktop.start();
    const rummage = await openRummage(desktop);
    await show(rummage, desktop);
    await pause(PAINT_MS);
    const window = await windowNamed(desktop, TITLE);
    desktop.run('import', ['-window', window, '-strip', '-define', 'png:compression-level=9', path]);
    await rummage.window.close();
  } finally {
    desktop.close();
  }
}

async function showAnswer(rummage, desktop) {
  await rummage.drop(...writeDocuments(desktop.env.HOME));
  await rummage.isUpToDate(COUNT);
  await clear(rummage, desktop);
  await rummage.ask(QUESTION);
  await until('there are results', async () => (await rummage.firstResult()) !== '');
}

/** With the reasons for the first result beside its text. */
async function showPreview(rummage, desktop) {
  await showAnswer(rummage, desktop);
  await rummage.window.press('ArrowUp');
  await rummage.window.press(' ');
  await (await rummage.window.find('button', 'Why is this here?')).click();
}

async function showFiles(rummage, desktop) {
  const folders = writeDocuments(desktop.env.HOME);
  writeUnread(folders[0]);
  await rummage.drop(...folders);
  await rummage.isUpToDate(COUNT);
  await (await rummage.window.find('button', 'Files')).click();
  await (await rummage.window.find('radio', /^Skipped/)).click();
  await clear(rummage, desktop);
}

async function showHealth(rummage, desktop) {
  await rummage.drop(writeFolder(desktop, 'Notes', prose(MUCH)));
  await rummage.throttle('Full speed');
  await clear(rummage, desktop);
  await rummage.openHealth();
  const shows = (samples) => until(`${samples} samples are charted`, async () => {
    const [chart] = await rummage.window.all('slider', 'Memory');
    return chart && Number(await chart.attribute('max')) >= samples;
  }, { seconds: 300 });
  await shows(SAMPLES / 2);
  // What becomes of a worker that dies is part of the picture.
  process.kill(rummage.workers('embed')[0].pid, 'SIGKILL');
  await shows(SAMPLES);
}

/** The pointer rests where it marks nothing, and the thanks for the drop are gone. */
async function clear(rummage, desktop) {
  desktop.run('xdotool', ['mousemove', '4', '4']);
  await until('the notice is gone', async () => !/\bAdded\b/.test(await rummage.text()));
}
