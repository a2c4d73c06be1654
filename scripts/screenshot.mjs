// `node scripts/screenshot.mjs`: draws docs/window.png and docs/window-dark.png.
// Opens the real window on documents of nobody, asks a question, and takes its
// picture. Linux only, with what the tests need.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { Desktop } from '../tests/desktop/harness/desktop.mjs';
import { windowNamed } from '../tests/desktop/harness/drag.mjs';
import { openRummage, TITLE } from '../tests/desktop/harness/rummage.mjs';
import { until } from '../tests/desktop/harness/until.mjs';
import { COUNT, QUESTION, writeDocuments } from './screenshot/documents.mjs';
import { ROOT, say } from './setup/shell.mjs';

const PICTURES = [
  { path: join(ROOT, 'docs', 'window.png'), theme: 'Adwaita' },
  { path: join(ROOT, 'docs', 'window-dark.png'), theme: 'Adwaita:dark' },
];
// The page is drawn a moment after it is there.
const PAINT_MS = 1_000;

mkdirSync(join(ROOT, 'docs'), { recursive: true });
for (const picture of PICTURES) {
  await draw(picture);
  say(`Drew ${picture.path}`);
}

async function draw({ path, theme }) {
  const desktop = new Desktop();
  desktop.env.GTK_THEME = theme;
  try {
    await desktop.start();
    const rummage = await openRummage(desktop);
    await rummage.drop(...writeDocuments(desktop.env.HOME));
    await rummage.isUpToDate(COUNT);
    // The pointer rests where it marks nothing, and the thanks for the drop are gone.
    desktop.run('xdotool', ['mousemove', '4', '4']);
    await until('the notice is gone', async () => !/\bAdded\b/.test(await rummage.text()));
    await rummage.ask(QUESTION);
    await until('there are results', async () => (await rummage.firstResult()) !== '');
    await pause(PAINT_MS);
    const window = await windowNamed(desktop, TITLE);
    desktop.run('import', ['-window', window, '-strip', '-define', 'png:compression-level=9', path]);
    await rummage.window.close();
  } finally {
    desktop.close();
  }
}
