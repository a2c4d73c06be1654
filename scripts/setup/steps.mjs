// The set-up: which steps there are, in which order. Each step looks first and
// does nothing when all is in place.

import { fetchAssets } from './assets.mjs';
import { installNpmPackages } from './npm-packages.mjs';
import { buildPage } from './page.mjs';
import { buildPrograms } from './programs.mjs';
import { say } from './shell.mjs';
import { installSystemPackages } from './system-packages.mjs';
import { checkToolchain } from './toolchain.mjs';

const STEPS = [
  ['tools and system packages', async (report, options) => {
    checkToolchain(report);
    await installSystemPackages(report, options);
  }],
  ['npm packages', installNpmPackages],
  ['ONNX Runtime and the default model', fetchAssets],
  ["the window's page", buildPage],
  ['programs', buildPrograms],
];

/**
 * Brings this checkout to where the programs can start; `forTests`, to where the
 * tests can; `release`, to where the programs can be packaged.
 */
export async function setUp({ forTests = false, release = false } = {}) {
  for (const [index, [title, step]] of STEPS.entries()) {
    const head = `Setting up Rummage · ${index + 1} of ${STEPS.length} · `;
    let spoke = false;
    const report = (line) => {
      spoke = true;
      say(head + line);
    };
    await step(report, { forTests, release });
    if (!spoke) report(`${title}: in place`);
  }
}
