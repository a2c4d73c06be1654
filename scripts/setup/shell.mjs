// How the scripts talk, and how they run other programs. Knows no step of the
// set-up.

import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What is wrong and its mend, for the person at the keyboard. Anything else thrown is a bug here. */
export class SetUpError extends Error {
  constructor(problem, mend) {
    super(problem);
    this.mend = mend;
  }
}

export function say(line) {
  process.stdout.write(`${line}\n`);
}

/** Says why the set-up ended and ends with code 1. */
export function reportAndExit(error) {
  process.stderr.write(`\n${explain(error)}\n`);
  process.exit(1);
}

export function explain(error) {
  if (!(error instanceof SetUpError)) return error.stack ?? String(error);
  return error.mend ? `${error.message}\n${error.mend}` : error.message;
}

/** Whether a program of this name lies on PATH. */
export function onPath(name) {
  const names = process.platform === 'win32' ? [`${name}.exe`, `${name}.cmd`] : [name];
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return folders.some((folder) => names.some((file) => isExecutable(join(folder, file))));
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

// cargo's metadata are megabytes.
const MOST_ASKED_FOR = 64 << 20;

/** What a program writes to stdout, trimmed; `null` when it is missing or fails. */
export function ask(name, args) {
  const { status, stdout } = spawnSync(name, args, { cwd: ROOT, encoding: 'utf8', maxBuffer: MOST_ASKED_FOR });
  return status === 0 ? stdout.trim() : null;
}

/**
 * Runs a program in the repository's root, its output shown as it comes (if
 * `quiet`, only stderr); returns its exit code.
 */
export function run(name, args, { env = {}, cwd = ROOT, shell = false, quiet = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(name, args, {
      cwd,
      shell,
      stdio: ['ignore', quiet ? 'ignore' : 'inherit', 'inherit'],
      env: { ...process.env, ...env },
    });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}

/**
 * The command that starts npm. Under `npm run` it is npm's own script, run by
 * this Node, which is the one form that works on every system.
 */
export function npm(args) {
  const script = process.env.npm_execpath;
  if (script?.endsWith('.js')) return { name: process.execPath, args: [script, ...args], shell: false };
  // npm is a batch file on Windows, which only a shell starts.
  return { name: 'npm', args, shell: process.platform === 'win32' };
}

/** Runs npm; fails with the mend when it does. */
export async function runNpm(args, { mend, ...options }) {
  const command = npm(args);
  const code = await run(command.name, command.args, { ...options, shell: command.shell });
  if (code !== 0) throw new SetUpError(`npm ${args.join(' ')} ended with code ${code}.`, mend);
}

/** 45828512 as "45.8 MB". */
export function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
