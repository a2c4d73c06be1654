// `node bench/window.mjs [--runs N] [--rest SECONDS]`: how long Rummage takes to a search
// box that can be typed into, and what it holds in memory after a rest, beside a bare Tauri
// window in the same run. Prints one line of JSON. Linux only; build first with
// `cargo build --workspace --bins --example bare-window`.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { program } from '../scripts/setup/programs.mjs';
import { Desktop } from '../tests/desktop/harness/desktop.mjs';
import { windowNamed } from '../tests/desktop/harness/drag.mjs';
import { descendantsOf } from '../tests/desktop/harness/processes.mjs';
import { openRummage, writeFolder } from '../tests/desktop/harness/rummage.mjs';
import { until } from '../tests/desktop/harness/until.mjs';
import { openWindow } from '../tests/desktop/harness/web-driver.mjs';

const { values } = parseArgs({ options: {
  runs: { type: 'string', default: '7' },
  rest: { type: 'string', default: '75' },
} });
const WINDOWS = {
  bare: { path: join(program('rummage-desktop'), '..', 'examples', 'bare-window'), title: 'Bare' },
  rummage: { path: program('rummage-desktop'), title: 'Rummage' },
};

const desktop = new Desktop();
try {
  await desktop.start();
  const env = { RUMMAGE_DATA: join(desktop.folder, 'rummage-data') };
  await index(desktop);
  const times = { bare: [], rummage: [] };
  // In turns, so that whatever else the machine does meets both alike.
  for (let run = 0; run < Number(values.runs); run += 1)
    for (const name of Object.keys(WINDOWS)) times[name].push(await startTime(WINDOWS[name], env));
  const memory = {};
  for (const name of Object.keys(WINDOWS)) memory[name] = await restingMegabytes(WINDOWS[name], env);
  const start = { bare: median(times.bare), rummage: median(times.rummage) };
  console.log(JSON.stringify({
    startMs: start,
    startRatio: Number((start.rummage / start.bare).toFixed(2)),
    restingPssMiB: memory,
    abovePssMiB: memory.rummage.whole - memory.bare.whole,
  }));
} finally {
  desktop.close();
}

/** A window without folders has no search box. */
async function index(desktop) {
  const rummage = await openRummage(desktop);
  await rummage.drop(writeFolder(desktop, 'Notes', { 'lamp.md': '# The lamp\n\nIts wick is trimmed.\n' }));
  await rummage.isUpToDate(1);
  await end(rummage.window, WINDOWS.rummage);
}

/** From the call to the program until its search box has the focus, in milliseconds. */
async function startTime(which, env) {
  const began = performance.now();
  const window = await open(which, env);
  const took = Math.round(performance.now() - began);
  await end(window, which);
  return took;
}

async function open({ path }, env) {
  const window = await openWindow(desktop, path, { env });
  await until('the box has the focus', () => window.evaluate(
    `return document.activeElement?.type === 'search'`,
  ), { seconds: 60 });
  return window;
}

/** PSS of the program and all its processes after a rest, and of each kind. */
async function restingMegabytes(which, env) {
  const window = await open(which, env);
  await pause(Number(values.rest) * 1000);
  const [root] = descendantsOf(window.driver.pid);
  const all = [root, ...descendantsOf(root.pid)];
  const byProgram = {};
  for (const { pid, program } of all)
    byProgram[program] = (byProgram[program] ?? 0) + pssOf(pid);
  await end(window, which);
  const whole = Object.values(byProgram).reduce((sum, one) => sum + one, 0);
  return { whole: Math.round(whole), ...Object.fromEntries(Object.entries(byProgram).map(([name, one]) => [name, Math.round(one)])) };
}

function pssOf(pid) {
  const kilobytes = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
  return Number(kilobytes ?? 0) / 1024;
}

async function end(window, { title }) {
  const id = await windowNamed(desktop, title);
  desktop.run('xdotool', ['windowactivate', '--sync', id, 'key', 'alt+F4']);
  await until(`${title} has ended`, () => descendantsOf(window.driver.pid).length === 0, { seconds: 30 });
  await window.close();
  window.driver.kill();
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
