// What a Linux system must have for the programs to start, read from the programs.

import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ask, onPath, SetUpError } from '../setup/shell.mjs';

/** The `Depends:` of a .deb, by Debian's own means; `null` where they are not at hand. */
export function debDepends(files) {
  if (!onPath('dpkg-shlibdeps')) return null;
  const dir = mkdtempSync(join(tmpdir(), 'rummage-depends-'));
  try {
    // It only runs beside a source package's control file.
    mkdirSync(join(dir, 'debian'));
    writeFileSync(join(dir, 'debian', 'control'), 'Source: rummage\n\nPackage: rummage\nArchitecture: any\n');
    const { stdout, stderr, status } = spawnSync('dpkg-shlibdeps', ['-O', ...files.map((file) => `-e${file}`)], {
      cwd: dir, encoding: 'utf8',
    });
    if (status !== 0) throw new SetUpError(`dpkg-shlibdeps: ${stderr}`);
    return /^shlibs:Depends=(.+)$/m.exec(stdout)[1].split(', ');
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The `Requires:` of an .rpm, in the form in which every distribution's libraries say what they provide. */
export function rpmRequires(files) {
  const required = files.flatMap((file) => requirementsIn(ask('objdump', ['-p', file]) ?? ''));
  return [...new Set(required)].sort();
}

/** The libraries in what `objdump -p` says of a 64-bit program, and the versions of their symbols. */
export function requirementsIn(text) {
  const needed = [...text.matchAll(/^ +NEEDED +(\S+)$/gm)].map(([, library]) => `${library}()(64bit)`);
  const versions = [...text.matchAll(/^ {2}required from (\S+):\n((?: {4}0x.*\n?)*)/gm)].flatMap(([, library, list]) => (
    [...list.matchAll(/(\S+)$/gm)].map(([, version]) => `${library}(${version})(64bit)`)
  ));
  return [...needed, ...versions];
}
