// Sample rows of the ledger, as many as a status counts, and what is done to them.
import { DOCUMENTS, NOTES } from './fake-data';
import type { FileFilter, FilePage, FileRow, FileState, RootStatus, Status } from './types';

const DAY_MS = 86_400_000;

const MEANING_TO_COME = 'found by its words already; its meaning is still to be computed';

function named(path: string, own: Partial<FileRow>): Omit<FileRow, 'id'> {
  return {
    path,
    isFolder: false,
    state: 'indexed',
    reason: null,
    passages: 0,
    bytes: 18_220,
    tries: 0,
    againMs: null,
    remedy: null,
    ...own,
  };
}

const failed = (path: string, reason: string, own: Partial<FileRow> = {}) =>
  named(path, { state: 'failed', reason, tries: 1, remedy: 'retry', ...own });
const skipped = (path: string, reason: string, own: Partial<FileRow> = {}) =>
  named(path, { state: 'skipped', reason, remedy: 'retry', ...own });
const leftOut = (path: string, reason: string, isFolder = false) =>
  skipped(path, reason, { isFolder, bytes: 0, remedy: 'include' });

const MEMORABLE = () => [
  named(`${DOCUMENTS}/House/Heating/heat-pump-comparison.md`, { passages: 14 }),
  named(`${DOCUMENTS}/House/Offers/2025/quotation-heating-system-replacement.pdf`, {
    passages: 61,
    bytes: 2_410_000,
  }),
  named(`${NOTES}/energy/meter.py`, { passages: 3, bytes: 2114 }),
  failed(
    `${DOCUMENTS}/Scans/lease-1998.pdf`,
    'it cannot be read (Permission denied): check who may read it',
    { bytes: 880_000, tries: 3, againMs: Date.now() + DAY_MS / 3 },
  ),
  failed(
    `${DOCUMENTS}/Old/thesis.tex`,
    'reading it failed every time: the worker was ended, for it held 1,210 MB',
    { bytes: 41_000_000, tries: 2 },
  ),
  failed(
    `${DOCUMENTS}/Downloads/broken.docx`,
    'it cannot be understood: the archive has no table of contents',
    { bytes: 310 },
  ),
  skipped(`${DOCUMENTS}/Video/garden.mp4`, 'its contents are not text that can be read', {
    bytes: 734_000_000,
  }),
  skipped(
    `${DOCUMENTS}/Exports/mail-archive.mbox`,
    'it is larger than the limit (1145 of 32 MB): raise “largest file” in the settings to include it',
    { bytes: 1_200_000_000, remedy: 'include' },
  ),
  leftOut(
    `${DOCUMENTS}/Website/node_modules`,
    'the pattern node_modules/ in the settings leaves it out (packages that others wrote)',
    true,
  ),
  leftOut(
    `${DOCUMENTS}/Website/.cache`,
    'its name begins with a dot: a pattern like !.name in the settings lets it in',
    true,
  ),
  leftOut(
    `${DOCUMENTS}/Bank/signing-key.pem`,
    'the pattern *.pem in the settings leaves it out (keys and certificates)',
  ),
];

/** The number-th further row of a folder in a state. */
function further(root: string, state: FileState, number: number): Omit<FileRow, 'id'> {
  const [month, year] = [String((number % 12) + 1).padStart(2, '0'), 2012 + (number % 13)];
  const place = `${root}/${year}/${month}`;
  switch (state) {
    case 'indexed':
      return named(`${place}/note-${number}.md`, { passages: 1 + (number % 9) });
    case 'queued':
      return named(`${place}/note-${number}.md`, {
        state,
        reason: number % 3 === 0 ? MEANING_TO_COME : 'waits to be read',
      });
    case 'skipped':
      return skipped(
        `${place}/photo-${number}.jpg`,
        'no text: needs OCR (it is an image or a scan)',
        {
          bytes: 3_400_000 + number * 1000,
        },
      );
    case 'failed':
      return failed(
        `${place}/statement-${number}.pdf`,
        'it cannot be read (Input/output error): check who may read it',
        { bytes: 120_000 + number, tries: 1 + (number % 4), againMs: Date.now() + DAY_MS / 24 },
      );
  }
}

/** Rows for all that the status counts. */
export function rowsOf(status: Status): FileRow[] {
  const rows = status.roots.flatMap((root) => {
    const known = MEMORABLE().filter(({ path }) => path.startsWith(`${root.path}/`));
    return (['indexed', 'queued', 'skipped', 'failed'] as const).flatMap((state) => {
      const own = known.filter((row) => row.state === state).slice(0, root[state]);
      const missing = Array.from({ length: root[state] - own.length }, (_, number) =>
        further(root.path, state, number + 1),
      );
      return [...own, ...missing];
    });
  });
  return rows.map((row, index) => ({ ...row, id: index + 1 }));
}

function wanted(rows: readonly FileRow[], { state, root, words }: FileFilter): FileRow[] {
  const all = words.toLowerCase().split(/\s+/);
  return rows.filter((row) => {
    const text = `${row.path} ${row.reason ?? ''}`.toLowerCase();
    return (
      (state === null || row.state === state) &&
      (root === null || row.path.startsWith(`${root}/`)) &&
      all.every((word) => text.includes(word))
    );
  });
}

export function pageOf(
  rows: readonly FileRow[],
  filter: FileFilter,
  after: number,
  limit: number,
): FilePage {
  const left = wanted(rows, filter).filter(({ id }) => id > after);
  const page = left.slice(0, limit).map((row) => ({ ...row }));
  return { rows: page, next: left.length > limit ? (page.at(-1)?.id ?? null) : null };
}

/** Which rows another try would queue. */
export function retried(rows: readonly FileRow[], filter: FileFilter): FileRow[] {
  return wanted(rows, filter).filter(({ remedy }) => remedy === 'retry');
}

/** The status once these rows wait to be read. */
export function queued(status: Status, rows: FileRow[]): Partial<Status> {
  const counts = { ...status.counts };
  const roots: RootStatus[] = status.roots.map((root) => ({ ...root }));
  for (const row of rows) {
    const root = roots.find(({ path }) => row.path.startsWith(`${path}/`));
    for (const one of [counts, root]) {
      if (!one) continue;
      one[row.state] -= 1;
      one.queued += 1;
    }
    Object.assign(row, {
      state: 'queued',
      reason: 'waits to be read',
      remedy: null,
      againMs: null,
    });
  }
  return { counts, roots };
}
