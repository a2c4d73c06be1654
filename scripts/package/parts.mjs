// What a package holds beside what lies in the checkout: the programs under the
// names that the bundler wants, what the command line says of itself, licences.
// Where each part goes is packaging/bundle.json's to say.

import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { program } from '../setup/programs.mjs';
import { ask, ROOT, run, runNpm, SetUpError } from '../setup/shell.mjs';
import { cratesOf, noticesOf, npmPackagesOf } from './third-party.mjs';

/** Where the parts are laid ready; packaging/bundle.json names it too. */
export const PARTS = join(ROOT, 'target', 'package');

/** The programs beside the window's. */
const PROGRAMS = ['rummage', 'rummage-worker'];

/** The programs that a package holds, where cargo has put them. */
export function builtPrograms() {
  return ['rummage-desktop', ...PROGRAMS].map((name) => program(name, { release: true }));
}

/** Lays every part ready, anew. */
export async function layReady() {
  rmSync(PARTS, { recursive: true, force: true });
  mkdirSync(join(PARTS, 'programs'), { recursive: true });
  const triple = /^host: (.+)$/m.exec(ask('rustc', ['-vV']))[1];
  for (const name of PROGRAMS) {
    const path = program(name, { release: true });
    copyFileSync(path, join(PARTS, 'programs', basename(path).replace(name, `${name}-${triple}`)));
  }
  await layCompanions();
  writeFileSync(join(PARTS, 'changelog.gz'), compressed(join(ROOT, 'CHANGELOG.md')));
  writeFileSync(join(PARTS, 'THIRD-PARTY.txt'), await thirdParty(triple));
}

/** Manual pages, compressed as packages want them, and completions. */
async function layCompanions() {
  const code = await run(program('rummage', { release: true }), ['companions', PARTS]);
  if (code !== 0) throw new SetUpError(`rummage companions ended with code ${code}.`);
  copyFileSync(join(ROOT, 'packaging', 'linux', 'rummage-desktop.1'), join(PARTS, 'man', 'rummage-desktop.1'));
  for (const page of readdirSync(join(PARTS, 'man'))) {
    const path = join(PARTS, 'man', page);
    writeFileSync(`${path}.gz`, compressed(path));
    rmSync(path);
  }
}

function compressed(path) {
  return gzipSync(readFileSync(path), { level: 9 });
}

async function thirdParty(triple) {
  // A source map names every file that the page is made of.
  const page = join(PARTS, 'page');
  await runNpm(['run', '--silent', 'ui:build', '--', '--outDir', page, '--sourcemap', '--logLevel', 'warn'], {
    mend: 'The lines above say where in ui/ the fault lies.',
  });
  const crates = cratesOf(ask('cargo', [
    'metadata', '--locked', '--format-version=1', `--filter-platform=${triple}`,
  ]));
  return noticesOf([...crates, ...npmPackagesOf(page)]);
}
