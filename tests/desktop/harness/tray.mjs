// The tray of a desktop, as a person uses it. Knows no program.

import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const HOST = fileURLToPath(new URL('tray_host.py', import.meta.url));

/** Gives a desktop a tray; signs come to it as programs start. */
export async function openTray(desktop) {
  const host = desktop.spawn('/usr/bin/python3', [HOST], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: host.stdout })[Symbol.asyncIterator]();
  const next = async () => (await lines.next()).value;
  await next();
  const ask = async (question) => {
    host.stdin.write(`${question}\n`);
    return JSON.parse(await next());
  };
  return {
    /** The newest sign: `{ title, tip, menu: [label] }`. */
    shown: () => ask('show'),
    /** Presses a line of its menu; whether there is one. */
    press: (label) => ask(`press ${label}`),
  };
}
