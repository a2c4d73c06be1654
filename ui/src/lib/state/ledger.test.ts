import { expect, it } from 'vitest';
import type { Backend, FileRow, FileState } from '../backend';
import { Ledger, matching } from './ledger.svelte';

const row = (path: string, reason: string | null = null): FileRow => ({
  path,
  reason,
  state: 'failed',
  passages: 0,
  bytes: 1,
});
const ROWS = [row('/notes/Plan.md'), row('/notes/scan.pdf', 'Encrypted'), row('/old/scan.pdf')];

it.each([
  ['', 3],
  ['  ', 3],
  ['plan', 1],
  ['SCAN notes', 1],
  ['encrypted', 1],
  ['nowhere', 0],
])('words %j leave %d rows', (words, left) => expect(matching(ROWS, words).length).toBe(left));

it('shows the rows of the state chosen last, whichever come last', async () => {
  const waiting = new Map<FileState | null, (rows: FileRow[]) => void>();
  const backend = {
    files: (state: FileState | null) => new Promise((resolve) => waiting.set(state, resolve)),
  } as unknown as Backend;
  const ledger = new Ledger(backend, null, '');
  const first = ledger.load();
  const second = ledger.show('failed');
  waiting.get('failed')?.(ROWS);
  waiting.get(null)?.([]);
  await Promise.all([first, second]);
  expect(ledger.shown).toEqual(ROWS);
});
