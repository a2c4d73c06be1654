// Processes as Linux tells of them in /proc.

import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

/**
 * All processes below another: `{ pid, parent, started, program, args }`. Pid
 * and start together name one process for good; a pid alone is used again.
 */
export function descendantsOf(pid) {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((name) => look(Number(name)))
    .filter(Boolean);
  const below = (parent) => all.filter((one) => one.parent === parent).flatMap((one) => [one, ...below(one.pid)]);
  return below(pid);
}

/** Whether that very process still runs. One that only waits to be reaped does not. */
export function isAlive({ pid, started }) {
  const now = look(pid);
  return now !== null && now.started === started && now.state !== 'Z';
}

function look(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces and parentheses itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
    const [state, parent, started] = [fields[0], Number(fields[1]), fields[19]];
    return { pid, state, parent, started, program: basename(args[0] ?? ''), args: args.slice(1) };
  } catch {
    return null; // It ended while we looked.
  }
}

/** Ends a child that was started as the head of its own process group, and the group. */
export function killGroup(child) {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}
