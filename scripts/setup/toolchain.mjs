// Node and Rust: what the person installs, since a script should not.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ask, onPath, ROOT, SetUpError } from './shell.mjs';

/** Fails with the mend when Node or Rust is missing or too old. */
export function checkToolchain(report) {
  const node = process.versions.node;
  const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const nodeWanted = engines.node.replace(/^[^\d]*/, '');
  if (isOlder(node, nodeWanted)) {
    throw new SetUpError(
      `Node ${node} is too old: Rummage is built with ${nodeWanted} or newer.`,
      'Install a current Node (the README says how), then run this again.',
    );
  }
  const rustWanted = /^rust-version = "([\d.]+)"/m.exec(
    readFileSync(join(ROOT, 'Cargo.toml'), 'utf8'),
  )[1];
  const rust = /^rustc ([\d.]+)/.exec(ask('rustc', ['--version']) ?? '')?.[1];
  if (!rust || !onPath('cargo')) {
    throw new SetUpError(
      `Rust is missing: no ${rust ? 'cargo' : 'rustc'} on PATH.`,
      `Install Rust ${rustWanted} or newer with rustup (the README says how), open a new terminal, then run this again.`,
    );
  }
  if (isOlder(rust, rustWanted)) {
    throw new SetUpError(
      `Rust ${rust} is too old: Rummage is built with ${rustWanted} or newer.`,
      'Type: rustup update stable',
    );
  }
  report(`Node ${node}, Rust ${rust}`);
}

/** Compares dotted numbers part by part; a missing part is 0. */
export function isOlder(version, wanted) {
  const [have, want] = [version, wanted].map((text) => text.split('.').map(Number));
  for (let part = 0; part < want.length; part += 1) {
    const difference = (have[part] ?? 0) - want[part];
    if (difference !== 0) return difference < 0;
  }
  return false;
}
