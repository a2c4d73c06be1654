// The three programs, and for the tests the test programs: cargo's work.

import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT, run, SetUpError } from './shell.mjs';

const PROGRAMS = ['rummage-desktop', 'rummage-cli', 'rummage-worker'].flatMap((name) => ['-p', name]);
// Switches on the same features of the same dependencies as PROGRAMS do, so
// that neither builds again what the other has built.
const PROGRAMS_AND_TESTS = ['--workspace', '--bins', '--tests'];

// Names of functions are a third of a program, and only a debugger reads them.
const RELEASE = { args: ['--release'], env: { CARGO_PROFILE_RELEASE_STRIP: 'symbols' } };
const DEBUG = { args: [], env: {} };

/** Builds what has changed; cargo knows what that is. `release` is how packages are built. */
export async function buildPrograms(report, { forTests, release }) {
  const time = release ? 'half an hour or more' : 'several minutes';
  const patience = existsSync(program('rummage-desktop', { release })) ? '' : ` (the first time takes ${time})`;
  report(`${forTests ? 'programs and tests' : 'programs'}${patience}`);
  const { args, env } = release ? RELEASE : DEBUG;
  const code = await run('cargo', ['build', '--locked', ...args, ...(forTests ? PROGRAMS_AND_TESTS : PROGRAMS)], { env });
  if (code !== 0) {
    throw new SetUpError(`cargo build ended with code ${code}.`, 'The lines above say why.');
  }
}

/** Where a built program lies. */
export function program(name, { release = false } = {}) {
  const target = process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target');
  return join(target, release ? 'release' : 'debug', process.platform === 'win32' ? `${name}.exe` : name);
}
