// Every word the window says, in one place.
import { baseName, bytes, count, duration, plural, rate } from './format';
import type { AddReport, Coverage, FileState, Indexing, NumberField, Status, Why } from './backend';

const files = (n: number) => plural(n, 'file');

/** Common words alone are no reason to be shown. */
const holdsWords = ({ keyword }: Why) => keyword !== null && keyword.terms.length > 0;

const place = (rank: number | null) => (rank === null ? '' : ` (place ${count(rank)})`);

/** Ctrl or Cmd, whichever this machine has. */
export const commandKey = /mac/i.test(globalThis.navigator?.platform ?? '') ? '⌘' : 'Ctrl';

export const t = {
  appName: 'Rummage',

  welcome: {
    sentence: 'Rummage finds your own files by meaning. Everything stays on this computer.',
    dropHere: 'Drop folders here',
    or: 'or',
    choose: 'Choose folders…',
  },

  drop: {
    title: 'Drop to add',
    items: (n: number) => (n === 0 ? 'Folders or files' : plural(n, 'item')),
    note: 'They stay where they are. Rummage only reads them.',
  },

  search: {
    name: 'Search',
    placeholder: 'Search your files',
    clear: 'Clear the search',
    idle: (searched: number) => `Search ${files(searched)}`,
    idleHint: 'Describe what you remember. The words need not be the same.',
    nothing: (query: string) => `Nothing found for “${query}”`,
    nothingHint: 'Try other words, or fewer of them.',
    nothingYet: (left: number) =>
      `${files(left)} still to be read. What they hold will appear here by itself.`,
    failed: 'The search did not work',
  },

  results: {
    name: 'Results',
    summary: (shown: number, tookMs: number, coverage: Coverage) => {
      const { searched, known, meaning } = coverage;
      const byMeaning = meaning < searched ? ` (${count(meaning)} by meaning)` : '';
      const of = searched < known ? `${count(searched)} of ${files(known)}` : files(known);
      return `${files(shown)} · ${count(tookMs)} ms · searched ${of}${byMeaning}`;
    },
    page: (n: number) => `Page ${count(n)}`,
    why: (why: Why) =>
      holdsWords(why) && why.meaning
        ? 'words + meaning'
        : why.meaning
          ? 'meaning'
          : why.keyword
            ? 'words'
            : '',
    whyInFull: (why: Why) =>
      [
        why.keyword &&
          holdsWords(why) &&
          `Words: ${why.keyword.terms.join(', ')}${place(why.keyword.rank)}`,
        why.meaning &&
          `Meaning: ${why.meaning.similarity.toFixed(2)} alike${place(why.meaning.rank)}`,
      ]
        .filter(Boolean)
        .join('\n'),
    openFailed: (name: string) => `${name} could not be opened`,
    revealFailed: (name: string) => `${name} could not be shown`,
  },

  keys: {
    choose: 'Choose',
    open: 'Open',
    reveal: 'Show in folder',
    clear: 'Clear',
    focus: 'Search',
    settings: 'Settings',
  },

  activity: {
    name: 'Activity',
    indexing: 'Indexing',
    upToDate: 'Up to date',
    scanning: 'Looking for changes…',
    counts: ({ done, total }: Indexing) => `${count(done)} of ${files(total)}`,
    rate: (filesPerSecond: number) => `${rate(filesPerSecond)} files/s`,
    left: (seconds: number) => `${duration(seconds)} left`,
    summary: (status: Status) =>
      `${files(status.coverage.searched)} · ${bytes(status.diskBytes)} index`,
    modelLoading: 'The model is loading',
  },

  folders: {
    name: 'Folders',
    show: 'Folders',
    add: 'Add folders…',
    files,
    queued: (n: number) => `${count(n)} queued`,
    skipped: (n: number) => `${count(n)} skipped`,
    failed: (n: number) => `${count(n)} failed`,
    state: { watching: 'Watching for changes', scanning: 'Scanning…', away: 'Not there now' },
    stop: (name: string) => `Stop following ${name}`,
    confirm: (name: string) => `Stop following ${name}? Its files stay where they are.`,
    confirmYes: 'Stop following',
    confirmNo: 'Keep',
  },

  notices: {
    added: ({ added: [first = '', second, ...others] }: AddReport) => {
      if (second === undefined) return `Added ${baseName(first)}`;
      const rest = others.length === 0 ? baseName(second) : `${count(others.length + 1)} more`;
      return `Added ${baseName(first)} and ${rest}`;
    },
    nothingAdded: 'Nothing was added',
    refused: (path: string, reason: string) => `Not added: ${path} (${reason})`,
    forgot: (name: string) => `${name} is no longer followed`,
    dismiss: 'Dismiss',
    failedAdd: 'The folders could not be added',
    failedForget: (name: string) => `${name} is still followed`,
  },

  problems: {
    dismiss: (message: string) => `Dismiss: ${message}`,
    startFailed: 'Rummage could not start',
    again: 'Try again',
  },

  ledger: {
    name: 'Files',
    open: 'Files',
    filter: 'Filter by name or reason',
    states: 'State',
    all: 'All',
    state: {
      indexed: 'Indexed',
      queued: 'Queued',
      skipped: 'Skipped',
      failed: 'Failed',
    } satisfies Record<FileState, string>,
    columns: { path: 'File', state: 'State', reason: 'Reason', size: 'Size' },
    passages: (n: number) => plural(n, 'passage'),
    reveal: (name: string) => `Show ${name} in its folder`,
    none: 'No files here.',
    loading: 'Loading…',
    shown: (n: number) => files(n),
    cut: (limit: number) => `The first ${files(limit)}. Narrow the state to see others.`,
  },

  settings: {
    name: 'Settings',
    open: 'Settings',
    close: 'Close',
    auto: (n: number) => `Auto (${count(n)})`,
    autoFor: (label: string) => ` for ${label}`,
    saved: 'Saved',
    range: (min: number, max: number) =>
      `Enter a whole number from ${count(min)} to ${count(max)}.`,
    groups: { speed: 'Speed', files: 'Files', about: 'On this computer' },
    fields: {
      poolSize: {
        label: 'Pool size',
        help: 'Worker processes that read and embed files at the same time.',
      },
      threadsPerWorker: {
        label: 'Threads per worker',
        help: 'More threads make one passage faster, seldom all of them.',
      },
      passagesPerLease: {
        label: 'Passages per lease',
        help: 'Passages a worker takes at once. A crash costs no more than these.',
      },
      tokensPerCall: {
        label: 'Tokens per model call',
        help: 'Best about as large as the processor’s cache holds.',
      },
      maxFileMegabytes: {
        label: 'Maximum file size',
        help: 'In megabytes. Larger files are skipped, and listed so.',
      },
    } satisfies Record<NumberField, { label: string; help: string }>,
    ignore: {
      label: 'Ignore list',
      help: 'One pattern a line, written as in a .gitignore file.',
    },
    model: 'Model',
    modelState: {
      loading: 'loading',
      ready: 'ready',
      missing: 'missing',
      failed: 'failed',
    },
    dims: (n: number) => `${count(n)} dimensions`,
    index: 'Index',
    dataDir: 'Data',
    settingsFile: 'Settings file',
    workers: (n: number) => plural(n, 'worker process', 'worker processes'),
    worker: {
      role: 'Role',
      pid: 'Process',
      state: 'State',
      memory: 'Memory',
      jobs: 'Jobs',
      restarts: 'Restarts',
    },
  },
};
