// A real drag and drop of files from one program's window onto another's, by
// the pointer.

import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';

import { killGroup } from './processes.mjs';
import { until } from './until.mjs';

const SOURCE = fileURLToPath(new URL('drag_source.py', import.meta.url));
// A drag begins past a threshold, and the target wants to see the pointer come: small steps, at a hand's pace.
const STEPS = 12;
const STEP_MS = 30;

/**
 * Drops files on the middle of a window. That the source gave them away does
 * not say that the target made use of them: look at the target.
 */
export async function dropOnWindow(desktop, title, paths) {
  const target = middleOf(desktop, await windowNamed(desktop, title));
  const child = desktop.spawn('/usr/bin/python3', [SOURCE, ...paths], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (chunk) => { said += chunk; });
  try {
    await until('the drag source is shown', () => said.includes('ready'));
    const source = middleOf(desktop, await windowNamed(desktop, 'drag source'));
    const pointer = (...args) => desktop.run('xdotool', args.map(String));
    pointer('mousemove', source.x, source.y);
    await pause(STEP_MS);
    pointer('mousedown', 1);
    for (let step = 1; step <= STEPS; step += 1) {
      await pause(STEP_MS);
      const part = (from, to) => Math.round(from + ((to - from) * step) / STEPS);
      pointer('mousemove', part(source.x, target.x), part(source.y, target.y));
    }
    await pause(5 * STEP_MS);
    pointer('mouseup', 1);
    // A target asks for the files while they still hang over it, so the source must outlive that.
    await until('the drag has ended', () => said.includes('over'));
  } finally {
    killGroup(child);
  }
}

/** The id of the visible window with this very title. */
export function windowNamed(desktop, title) {
  const pattern = `^${title.replace(/[^\w ]/g, '\\$&')}$`;
  return until(`a window "${title}" is shown`, () => {
    try {
      return desktop.run('xdotool', ['search', '--onlyvisible', '--name', pattern]).trim().split('\n').pop();
    } catch {
      return null; // xdotool fails when it finds none.
    }
  }, { seconds: 60 });
}

function middleOf(desktop, id) {
  // xdotool's own geometry leaves the window manager's frame out of account.
  const facts = desktop.run('xwininfo', ['-id', id]);
  const fact = (name) => Number(new RegExp(`${name}:\\s+(-?\\d+)`).exec(facts)[1]);
  return {
    x: fact('Absolute upper-left X') + Math.round(fact('Width') / 2),
    y: fact('Absolute upper-left Y') + Math.round(fact('Height') / 2),
  };
}
