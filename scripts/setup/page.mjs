// The window's page: ui/ built into ui/dist.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

import { ROOT, runNpm } from './shell.mjs';

const NOTE = join(ROOT, 'target', 'setup', 'page.sha256');
const NO_SOURCE = new Set(['dist', 'node_modules', 'tests']);

/**
 * Builds the page when what it is built from has changed. Contents are
 * compared, not times: a switch of branch and back builds nothing.
 */
export async function buildPage(report) {
  const source = hashOfSource(join(ROOT, 'ui'), [join(ROOT, 'package-lock.json'), join(ROOT, 'package.json')]);
  if (existsSync(join(ROOT, 'ui', 'dist', 'index.html')) && noted() === source) return;
  report("building the window's page");
  await runNpm(['run', '--silent', 'ui:build'], { mend: 'The lines above say where in ui/ the fault lies.' });
  mkdirSync(dirname(NOTE), { recursive: true });
  writeFileSync(NOTE, source);
}

function noted() {
  return existsSync(NOTE) ? readFileSync(NOTE, 'utf8') : null;
}

/** One hash over the names and contents of everything below a folder, and of further files. */
export function hashOfSource(folder, furtherFiles) {
  const hash = createHash('sha256');
  for (const path of [...filesBelow(folder), ...furtherFiles]) {
    const contents = readFileSync(path);
    hash.update(`${relative(folder, path)}\0${contents.length}\0`).update(contents);
  }
  return hash.digest('hex');
}

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      if (NO_SOURCE.has(entry.name)) return [];
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(path) : [path];
    });
}
