// The three programs, and for the tests the test programs: cargo's work.

import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT, run, SetUpError } from './shell.mjs';

const CRATES = ['rummage-desktop', 'rummage-cli', 'rummage-worker'];
const PROGRAMS = CRATES.flatMap((name) => ['-p', name]);
// Switches on the same features of the same dependencies as PROGRAMS do, so
// that neither builds again what the other has built.
const PROGRAMS_AND_TESTS = ['--workspace', '--bins', '--tests'];

/** The programs that packages hold. Elsewhere than on Windows the window's is the command line as well. */
export const PACKAGED = process.platform === 'win32'
  ? ['rummage-desktop', 'rummage', 'rummage-worker']
  : ['rummage-desktop', 'rummage-worker'];
const RELEASE = ['--release', ...PACKAGED.flatMap((name) => ['--bin', name])];

/** Builds what has changed; cargo knows what that is. `release` is how packages are built. */
export async function buildPrograms(report, { forTests, release }) {
  const time = release ? 'half an hour or more' : 'several minutes';
  const patience = existsSync(program('rummage-desktop', { release })) ? '' : ` (the first time takes ${time})`;
  report(`${forTests ? 'programs and tests' : 'programs'}${patience}`);
  const what = forTests ? PROGRAMS_AND_TESTS : PROGRAMS;
  const code = await run('cargo', ['build', '--locked', ...what, ...(release ? RELEASE : [])]);
  if (code !== 0) {
    throw new SetUpError(`cargo build ended with code ${code}.`, 'The lines above say why.');
  }
}

/** Where a built program lies. */
export function program(name, { release = false } = {}) {
  const target = process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target');
  return join(target, release ? 'release' : 'debug', process.platform === 'win32' ? `${name}.exe` : name);
}
