// `node scripts/screenshot.mjs`: draws docs/window.png. Opens the real window
// on a small folder of its own, asks it a question, and takes its picture.
// Linux only, with what the tests need.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { Desktop } from '../tests/desktop/harness/desktop.mjs';
import { windowNamed } from '../tests/desktop/harness/drag.mjs';
import { openRummage, writeFolder } from '../tests/desktop/harness/rummage.mjs';
import { until } from '../tests/desktop/harness/until.mjs';
import { ROOT, say } from './setup/shell.mjs';

const PICTURE = join(ROOT, 'docs', 'window.png');
// The page is drawn a moment after it is there.
const PAINT_MS = 1_500;
const QUESTION = 'how to keep the plants alive while we are away';
const FILES = {
  'balcony.md': '# Balcony\n\n## Summer holidays\n\nThe tomatoes need a litre each evening. Set the drip line to ten minutes, move the ferns into the shade and leave a full can by the door for the neighbour.\n',
  'lease.txt': 'The flat is let from the first of April. Three months of notice on either side. The deposit is returned once the keys are back and the walls are white.\n',
  'sourdough.md': '# Sourdough\n\nFeed the starter the evening before. Fold the dough four times, half an hour apart, and bake it in a closed pot.\n',
  'router.txt': 'When the network is slow, the repeater in the hall has lost its link. Pull the plug, wait for the lamp to go out, and start it again.\n',
  'packing.md': '# Two weeks in August\n\nPassports, chargers, the small tent. Ask next door to empty the letter box and to look after the pots on the balcony.\n',
  'greenhouse.md': '# Greenhouse\n\nOpen the roof vents before nine. Seedlings dry out within a day of sun: a tray of wet gravel below them holds for a long weekend.\n',
  'insurance.txt': 'Water damage is covered up to the value of the furniture. Report it within seven days, with pictures.\n',
};

const desktop = new Desktop();
try {
  await desktop.start();
  const rummage = await openRummage(desktop);
  await rummage.drop(writeFolder(desktop, 'Notes', FILES));
  await rummage.isUpToDate(Object.keys(FILES).length);
  await rummage.ask(QUESTION);
  await until('there are results', async () => /\bsearched\b/.test(await rummage.text()));
  await pause(PAINT_MS);
  mkdirSync(join(ROOT, 'docs'), { recursive: true });
  desktop.run('import', ['-window', await windowNamed(desktop, 'Rummage'), PICTURE]);
  say(`Drew ${PICTURE}`);
  await rummage.window.close();
} finally {
  desktop.close();
}
