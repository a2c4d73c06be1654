// node_modules, as package-lock.json has it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT, runNpm } from './shell.mjs';

/** Installs the npm packages when node_modules differs from the lock file. */
export async function installNpmPackages(report) {
  if (isInstalled(ROOT)) return;
  report('npm packages');
  // No package's install script runs: all of these are plain files.
  await runNpm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    mend: 'Is the network there, and does package-lock.json match package.json? Then run this again.',
  });
}

/**
 * Whether node_modules holds the lock file's packages. npm leaves its own
 * lock file there as the last thing it does; packages for other systems are
 * missing from it.
 */
export function isInstalled(root) {
  const wanted = packagesIn(join(root, 'package-lock.json'));
  const present = packagesIn(join(root, 'node_modules', '.package-lock.json'));
  if (!wanted || !present) return false;
  const isSame = (path) => wanted[path]?.version === present[path]?.version
    && wanted[path]?.integrity === present[path]?.integrity;
  return Object.keys(present).every(isSame)
    && Object.keys(wanted).every((path) => path === '' || wanted[path].optional || isSame(path));
}

function packagesIn(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch {
    return null;
  }
}
