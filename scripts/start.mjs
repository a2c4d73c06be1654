// `npm start`: sets up what is missing, then opens the window. What follows
// `--` goes to the program.

import { spawn } from 'node:child_process';
import { constants } from 'node:os';

import { program } from './setup/programs.mjs';
import { reportAndExit, say } from './setup/shell.mjs';
import { setUp } from './setup/steps.mjs';

await setUp().catch(reportAndExit);
say('Opening Rummage');

const window = spawn(program('rummage-desktop'), process.argv.slice(2), { stdio: 'inherit' });
// Ctrl+C reaches the window too: it shuts down in order, and this script waits for it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => window.kill(signal));
}
window.on('error', reportAndExit);
window.on('exit', (code, signal) => {
  process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
});
