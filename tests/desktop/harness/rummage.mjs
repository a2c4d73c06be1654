// Rummage's window as a person sees it, and its processes as the system sees
// them. Knows no test.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { program } from '../../../scripts/setup/programs.mjs';
import { dropOnWindow, windowNamed } from './drag.mjs';
import { descendantsOf } from './processes.mjs';
import { until } from './until.mjs';
import { openWindow } from './web-driver.mjs';

export const TITLE = 'Rummage';

/** Opens Rummage on a data folder within the desktop and waits until it shows its state. */
export async function openRummage(desktop, { data = 'rummage-data' } = {}) {
  const path = program('rummage-desktop');
  assert.ok(existsSync(path), `${path} is not built: run \`npm run setup\``);
  const env = { RUMMAGE_DATA: join(desktop.folder, data) };
  const window = await openWindow(desktop, path, { env });
  const rummage = new Rummage(desktop, window, () => desktop.spawn(path, [], { env }));
  await until('the window shows its state', async () => (await window.select('body[data-ready]')).length === 1, { seconds: 60 });
  await windowNamed(desktop, TITLE);
  return rummage;
}

class Rummage {
  constructor(desktop, window, start) {
    this.desktop = desktop;
    this.window = window;
    this.start = start;
  }

  get process() {
    return descendantsOf(this.window.driver.pid).find((one) => one.program === 'rummage-desktop');
  }

  /** Its worker processes for one duty: extract, embed or query. */
  workers(duty) {
    return descendantsOf(this.process.pid)
      .filter((one) => one.program === 'rummage-worker' && dutyOf(one) === duty);
  }

  /** Opens the Health panel; the workers that it lists are `shownWorkers`. */
  async openHealth() {
    await (await this.window.find('button', 'Health')).click();
    await this.window.find('dialog', 'Health');
  }

  /** The Health panel's rows: `{ role, pid, state, done, leases }`, a pid of `null` while there is no process. */
  async shownWorkers() {
    const rows = await this.window.evaluate(`
      const rows = document.querySelectorAll('dialog tbody tr:has(td + td)');
      return [...rows].map((row) => [...row.cells].map((cell) => cell.innerText));
    `);
    return rows.map(([worker, state, , done]) => ({
      role: worker.split('\n')[0].trim(),
      pid: numberIn(worker, /Process (\d+)/),
      state: state.trim(),
      done: numberIn(done, /([\d,]+) (?:passage|file|question)/),
      leases: numberIn(done, /([\d,]+) lease/),
    }));
  }

  /** Chooses how much indexing may take: Full speed, Considerate or Paused. */
  async throttle(mode) {
    await (await this.window.find('radio', mode)).click();
  }

  /** Drops folders on the window and waits until they are listed. */
  async drop(...folders) {
    await dropOnWindow(this.desktop, TITLE, folders);
    const list = await this.window.find('region', 'Folders', { seconds: 30 });
    for (const folder of folders) {
      await until(`${basename(folder)} is listed`, async () => (await list.text()).includes(basename(folder)));
    }
  }

  /** Waits until so many files are searchable and nothing is left to do. */
  async isUpToDate(files, { seconds = 120 } = {}) {
    // How much the index holds, not how much the folder does.
    const done = [/\bUp to date\b/, new RegExp(`\\b${files.toLocaleString('en-US')} files? · .* index`)];
    await until(`${files} files are indexed`, async () => {
      const text = await this.text();
      return done.every((pattern) => pattern.test(text));
    }, { seconds });
  }

  /** The text of the first result; empty when there is none yet. */
  firstResult() {
    // In one look: the list may be drawn anew between two.
    return this.window.evaluate("return document.querySelector('[role=listbox] [role=option]')?.innerText ?? ''");
  }

  /** Closes the window as its frame or the keyboard does. */
  async closeWindow() {
    const window = await windowNamed(this.desktop, TITLE);
    const shown = () => xdotool(this.desktop, ['search', '--onlyvisible', '--name', `^${TITLE}$`]).includes(window);
    let pressed = -Infinity;
    await until('the window goes', () => {
      // A key is lost while the window manager is busy: a person presses it again.
      if (shown() && performance.now() - pressed > 3000) {
        xdotool(this.desktop, ['windowactivate', '--sync', window, 'key', 'alt+F4']);
        pressed = performance.now();
      }
      return !shown();
    });
  }

  /** Starts the program once more beside this one; its exit code. */
  startAgain() {
    return new Promise((resolve) => this.start().on('exit', resolve));
  }

  text() {
    return this.window.evaluate('return document.body.innerText');
  }

  async ask(question) {
    const box = await this.window.find('searchbox', 'Search');
    await box.clear();
    await box.type(question);
  }
}

/** What a worker was started for. Both embed, but questions have one that gives way to nobody. */
function dutyOf({ args }) {
  const after = (name) => args[args.indexOf(name) + 1];
  return after('--role') === 'embed' && after('--nice') === '0' ? 'query' : after('--role');
}

function numberIn(text, pattern) {
  const found = pattern.exec(text);
  return found ? Number(found[1].replaceAll(',', '')) : null;
}

/** Writes a folder of files, `{ name: contents }`, into the desktop's home; returns its path. */
export function writeFolder(desktop, name, files) {
  const folder = join(desktop.env.HOME, name);
  mkdirSync(folder);
  for (const [file, contents] of Object.entries(files)) writeFileSync(join(folder, file), contents);
  return folder;
}

/** What xdotool says; nothing where it fails, as it does when a window has gone. */
function xdotool(desktop, args) {
  try {
    return desktop.run('xdotool', args).trim().split('\n');
  } catch {
    return [];
  }
}
