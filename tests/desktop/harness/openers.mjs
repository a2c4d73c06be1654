// Stands in for the programs that open and show files on a Linux desktop, and
// keeps what they were asked.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { until } from './until.mjs';

const FILE_MANAGER = fileURLToPath(new URL('file_manager.py', import.meta.url));
const OPENERS = ['xdg-open', 'gio', 'gnome-open', 'kde-open', 'wslview'];

/** Puts the stand-ins first on the desktop's PATH and bus: `{ opened(), shown() }`, each a list of paths. */
export async function standInForOpeners(desktop) {
  const folder = join(desktop.folder, 'openers');
  const log = join(folder, 'opened');
  mkdirSync(folder);
  for (const name of OPENERS) {
    // The last argument is the file, whatever options come before.
    writeFileSync(join(folder, name), `#!/bin/sh\nfor last; do :; done\nprintf '%s\\n' "$last" >> '${log}'\n`, { mode: 0o755 });
  }
  desktop.env.PATH = `${folder}:${desktop.env.PATH}`;

  let said = '';
  const manager = desktop.spawn('/usr/bin/python3', [FILE_MANAGER], { stdio: ['ignore', 'pipe', 'inherit'] });
  manager.stdout.on('data', (chunk) => { said += chunk; });
  await until('the file manager is on the bus', () => said.startsWith('ready\n'));
  return {
    opened: () => (existsSync(log) ? lines(readFileSync(log, 'utf8')).map(pathOf) : []),
    shown: () => lines(said).slice(1).map(pathOf),
  };
}

function lines(text) {
  return text.split('\n').filter(Boolean);
}

function pathOf(pathOrUri) {
  return pathOrUri.startsWith('file:') ? fileURLToPath(pathOrUri) : pathOrUri;
}
