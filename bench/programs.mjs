// The programs that benches run, built as `npm run setup` builds them.

import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

let profile = 'debug';

export function build(examples, release = false) {
  profile = release ? 'release' : 'debug';
  const cargo = ['build', '--workspace', '--bins', ...examples.flatMap((name) => ['--example', name]), '--quiet'];
  execFileSync('cargo', release ? [...cargo, '--release'] : cargo, { cwd: root, stdio: 'inherit' });
}

export const program = (name) => join(root, 'target', profile, name);
