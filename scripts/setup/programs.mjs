// The three programs, and for the tests the test programs: cargo's work.

import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT, run, SetUpError } from './shell.mjs';

const PROGRAMS = ['rummage-desktop', 'rummage-cli', 'rummage-worker'].flatMap((name) => ['-p', name]);
// Switches on the same features of the same dependencies as PROGRAMS do, so
// that neither builds again what the other has built.
const PROGRAMS_AND_TESTS = ['--workspace', '--bins', '--tests'];

/** Builds what has changed; cargo knows what that is. */
export async function buildPrograms(report, { forTests }) {
  const patience = existsSync(program('rummage-desktop')) ? '' : ' (the first time takes several minutes)';
  report(`${forTests ? 'programs and tests' : 'programs'}${patience}`);
  const code = await run('cargo', ['build', '--locked', ...(forTests ? PROGRAMS_AND_TESTS : PROGRAMS)]);
  if (code !== 0) {
    throw new SetUpError(`cargo build ended with code ${code}.`, 'The lines above say why.');
  }
}

/** Where a built program lies. */
export function program(name) {
  const target = process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target');
  return join(target, 'debug', process.platform === 'win32' ? `${name}.exe` : name);
}
