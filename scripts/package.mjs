// `npm run package`: packages of what is checked out, for the system it runs on.
// Names after `--` choose other kinds (`npm run package -- appimage`).

import { statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';

import { bundle, checkKinds, usualKinds } from './package/bundle.mjs';
import { layReady } from './package/parts.mjs';
import { megabytes, reportAndExit, ROOT, say } from './setup/shell.mjs';
import { setUp } from './setup/steps.mjs';

const chosen = process.argv.slice(2);
const kinds = chosen.length > 0 ? chosen : usualKinds();

try {
  checkKinds(kinds);
  await setUp({ release: true });
  say('Packaging Rummage · licences, manual pages and completions');
  await layReady();
  for (const path of await bundle(kinds)) {
    say(`${basename(path)}, ${megabytes(statSync(path).size)}: ${relative(ROOT, path)}`);
  }
} catch (error) {
  reportAndExit(error);
}
