// Waiting for something that only looking can tell.

import { setTimeout as pause } from 'node:timers/promises';

const BETWEEN_LOOKS_MS = 40;

/** The first truthy value of `look`; when there is none in time, an error that says what was awaited. */
export async function until(what, look, { seconds = 15 } = {}) {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const value = await look();
    if (value) return value;
    if (performance.now() > end) throw new Error(`waited ${seconds} s in vain until ${what}`);
    await pause(BETWEEN_LOOKS_MS);
  }
}
