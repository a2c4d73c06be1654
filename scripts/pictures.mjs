// `node scripts/pictures.mjs FOLDER [STATE]`: pictures of the window in every state, light
// and dark, wide, small and at 200 %, to be looked at after a change of its looks. In
// Chromium, with the sample data; scripts/screenshot.mjs draws the real window.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { start } from '../ui/tests/harness.mjs';
import { STATES } from '../ui/tests/states.mjs';

const [, , folder, only] = process.argv;
if (!folder) throw new Error('Name the folder for the pictures.');

const SIZES = {
  wide: { width: 1280, height: 800 },
  small: { width: 800, height: 600 },
  double: { width: 640, height: 400, deviceScaleFactor: 2 },
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
