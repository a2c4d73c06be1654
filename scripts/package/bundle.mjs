// Tauri's bundler, called on what cargo has built and `parts` has laid ready.

import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { program } from '../setup/programs.mjs';
import { onPath, ROOT, run, SetUpError } from '../setup/shell.mjs';
import { besideWindow, builtPrograms, PARTS } from './parts.mjs';
import { debDepends, rpmRequires } from './requirements.mjs';

/** Every kind of package: the system that it is made on, and how its file's name ends. */
const KINDS = {
  deb: { platform: 'linux', ending: '.deb', isUsual: true },
  rpm: { platform: 'linux', ending: '.rpm', isUsual: true },
  appimage: { platform: 'linux', ending: '.AppImage' },
  dmg: { platform: 'darwin', ending: '.dmg', isUsual: true },
  nsis: { platform: 'win32', ending: '.exe', isUsual: true },
};

/** What is made on a system where nothing is chosen. */
export function usualKinds(platform = process.platform) {
  return Object.keys(KINDS).filter((kind) => KINDS[kind].platform === platform && KINDS[kind].isUsual);
}

/** Fails with the mend where a kind is unknown or made on another system. */
export function checkKinds(kinds, platform = process.platform) {
  const known = Object.keys(KINDS).filter((kind) => KINDS[kind].platform === platform);
  const wrong = kinds.filter((kind) => !known.includes(kind));
  if (wrong.length === 0) return;
  throw new SetUpError(`No package of the kind ${wrong.join(', ')} is made here.`, `There are: ${known.join(', ')}.`);
}

/** Makes packages of these kinds; returns their paths. */
export async function bundle(kinds) {
  const folders = kinds.map((kind) => join(dirname(program('rummage-desktop', { release: true })), 'bundle', kind));
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });

  const configs = [join('packaging', 'bundle.json'), writeFound()];
  const code = await run(process.execPath, [
    join(ROOT, 'node_modules', '@tauri-apps', 'cli', 'tauri.js'), 'bundle', '--ci',
    // There is no updater that would have to know what it was installed from.
    '--no-binary-patching',
    '--bundles', kinds.join(','), ...configs.flatMap((config) => ['--config', config]),
  ]);
  if (code !== 0) throw new SetUpError(`tauri bundle ended with code ${code}.`, 'The lines above say why.');

  const made = kinds.flatMap((kind, index) => readdirSync(folders[index])
    .filter((name) => name.endsWith(KINDS[kind].ending))
    .map((name) => join(folders[index], name)));
  for (const deb of made.filter((path) => path.endsWith('.deb'))) await compress(deb);
  return made;
}

/**
 * Packs a .deb anew with xz, by Debian's own means: the bundler knows gzip alone, which
 * leaves it a third larger. Where those are not at hand it stays as it is.
 */
async function compress(deb) {
  if (!onPath('dpkg-deb')) return;
  const dir = mkdtempSync(join(tmpdir(), 'rummage-deb-'));
  // Takes minutes: whoever looks meanwhile finds a whole package.
  const smaller = `${deb}.part`;
  try {
    for (const args of [['--raw-extract', deb, dir], ['--root-owner-group', '-Zxz', '-z9', '--build', dir, smaller]]) {
      const code = await run('dpkg-deb', args, { quiet: true });
      if (code !== 0) throw new SetUpError(`dpkg-deb ${args[0]} ended with code ${code}.`, 'The lines above say why.');
    }
    renameSync(smaller, deb);
  } finally {
    rmSync(smaller, { force: true });
    rmSync(dir, { recursive: true, force: true });
  }
}

/** What was found out about the programs of this build, as one more configuration. */
function writeFound() {
  const path = join(PARTS, 'found.json');
  const found = { externalBin: besideWindow() };
  if (process.platform === 'linux') {
    const files = [...builtPrograms(), join(ROOT, 'assets', 'runtime', 'libonnxruntime.so')];
    found.linux = { deb: { depends: debDepends(files) ?? [] }, rpm: { depends: rpmRequires(files) } };
  }
  writeFileSync(path, JSON.stringify({ bundle: found }, null, 2));
  return path;
}
