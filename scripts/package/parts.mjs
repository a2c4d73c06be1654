// What a package holds beside what lies in the checkout: the programs under the
// names that the bundler wants, what the command line says of itself, licences.
// Where each part goes is packaging/bundle.json's to say.

import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { PACKAGED, program } from '../setup/programs.mjs';
import { ask, ROOT, run, runNpm, SetUpError } from '../setup/shell.mjs';
import { cratesOf, noticesOf, npmPackagesOf } from './third-party.mjs';

/** Where the parts are laid ready; packaging/bundle.json names it too. */
export const PARTS = join(ROOT, 'target', 'package');

/** The window's program, which the bundler finds by itself. */
const WINDOW = 'rummage-desktop';

/** The programs that a package holds, where cargo has put them. */
export function builtPrograms() {
  return PACKAGED.map((name) => program(name, { release: true }));
}

/** What lies beside the window's program, as the bundler wants it named. */
export function besideWindow() {
  return ['rummage', 'rummage-worker'].map((name) => `target/package/programs/${name}`);
}

/** Lays every part ready, anew. */
export async function layReady() {
  rmSync(PARTS, { recursive: true, force: true });
  mkdirSync(join(PARTS, 'programs'), { recursive: true });
  const triple = /^host: (.+)$/m.exec(ask('rustc', ['-vV']))[1];
  const lay = (path, name) => {
    const laid = join(PARTS, 'programs', basename(path).replace(name, `${name}-${triple}`));
    copyFileSync(path, laid);
    chmodSync(laid, 0o755);
  };
  for (const name of PACKAGED.filter((name) => name !== WINDOW)) lay(program(name, { release: true }), name);
  if (!PACKAGED.includes('rummage')) lay(join(ROOT, 'packaging', 'unix', 'rummage'), 'rummage');
  await layCompanions();
  writeFileSync(join(PARTS, 'changelog.gz'), compressed(join(ROOT, 'CHANGELOG.md')));
  writeFileSync(join(PARTS, 'THIRD-PARTY.txt'), await thirdParty(triple));
}

/** Manual pages, compressed as packages want them, and completions. */
async function layCompanions() {
  const [name, ...called] = PACKAGED.includes('rummage') ? ['rummage'] : [WINDOW, '--command'];
  const code = await run(program(name, { release: true }), [...called, 'companions', PARTS]);
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
