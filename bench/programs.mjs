// The programs that benches run: as `npm run setup` builds them, or in release, as
// packages have them.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

let profile = 'debug';

const at = (build, name) => join(root, 'target', build, name + (process.platform === 'win32' ? '.exe' : ''));

export const program = (name) => at(profile, name);

// Whether the programs are there as users get them.
export const isReleased = () => existsSync(at('release', 'rummage')) && existsSync(at('release', 'rummage-worker'));

export function choose(release) {
  profile = release ? 'release' : 'debug';
}

export function build(examples, release = false) {
  choose(release);
  const cargo = ['build', '--workspace', '--bins', ...examples.flatMap((name) => ['--example', name]), '--quiet'];
  execFileSync('cargo', release ? [...cargo, '--release'] : cargo, { cwd: root, stdio: 'inherit' });
}
