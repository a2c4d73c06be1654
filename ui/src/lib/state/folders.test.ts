import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AddReport, Backend } from '../backend';
import { Folders } from './folders.svelte';
import { Notices } from './notices.svelte';

function setup(add: (paths: string[]) => Promise<AddReport>) {
  const notices = new Notices();
  let changes = 0;
  const folders = new Folders(
    { addFolders: add } as unknown as Backend,
    notices,
    () => (changes += 1),
  );
  const shown = () => notices.list.map(({ tone, title, lines }) => [tone, title, ...lines]);
  const drop = async (paths: string[]) => {
    folders.drop({ type: 'drop', paths });
    await vi.advanceTimersByTimeAsync(0);
  };
  return { folders, shown, drop, changes: () => changes };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('dragging', () => {
  it('shows the target from enter to leave', () => {
    const { folders } = setup(async () => ({ added: [], refused: [] }));
    folders.drop({ type: 'enter', paths: ['/a', '/b'] });
    folders.drop({ type: 'over' });
    expect(folders.dragged).toBe(2);
    folders.drop({ type: 'leave' });
    expect(folders.dragged).toBe(null);
  });
});

describe('dropping', () => {
  it('thanks, and the thanks go by themselves', async () => {
    const { drop, shown, changes } = setup(async (added) => ({ added, refused: [] }));
    await drop(['/home/a', '/home/b']);
    expect([shown(), changes()]).toEqual([[['good', 'Added a and b']], 1]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(shown()).toEqual([]);
  });

  it('names what was refused, and waits to be read', async () => {
    const refused = [{ path: '/proc', reason: 'not a folder of files' }];
    const { drop, shown, changes } = setup(async () => ({ added: [], refused }));
    await drop(['/proc']);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(shown()).toEqual([
      ['bad', 'Nothing was added', 'Not added: /proc (not a folder of files)'],
    ]);
    expect(changes()).toBe(0);
  });

  it('says when it did not work', async () => {
    const { drop, shown } = setup(() =>
      Promise.reject({ kind: 'io', field: null, message: 'Disk full.', mend: 'Make room.' }),
    );
    await drop(['/a']);
    expect(shown()).toEqual([
      ['bad', 'The folders could not be added', 'Disk full.', 'Make room.'],
    ]);
  });
});
