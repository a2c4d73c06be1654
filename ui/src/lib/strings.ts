// Every word the window says, in one place.
import {
  ago,
  baseName,
  bytes,
  capital,
  count,
  day,
  duration,
  language,
  memory,
  moment,
  plural,
  rate,
} from './format';
import type {
  AddReport,
  AlikeFile,
  Arithmetic,
  CompareStep,
  Comparison,
  Coverage,
  FileResult,
  FileRow,
  FileState,
  Indexing,
  FetchStep,
  Marks,
  MemoryStatus,
  Mode,
  ModelView,
  NumberField,
  PassageResult,
  PoolStatus,
  Provider,
  RootStatus,
  Status,
  Switching,
  TuneStep,
  Tuning,
  Why,
  WorkerEnd,
  WorkerRole,
  WorkerState,
  WorkerStatus,
} from './backend';

import type { Span } from './dates';
import type { TypeFilter } from './filetype';
import type { Part } from './why';

/** What is there, each with its full stop and on one line. */
const sentences = (parts: readonly (string | false | undefined)[]) =>
  parts
    .filter((part) => typeof part === 'string' && part.trim() !== '')
    .map((part) => String(part).replace(/\s+/g, ' ').trim().replace(/[.…]?$/, '.'))
    .join(' ');
const files = (n: number) => plural(n, 'file');

/** Common words alone are no reason to be shown. */
const holdsWords = ({ keyword }: Why) => keyword !== null && keyword.terms.length > 0;

/** With fewer questions, one more may turn what they say. */
const FEW = 5;

const place = (rank: number | null) => (rank === null ? '' : ` (place ${count(rank)})`);

/** What a worker does one after another. */
const UNIT: Record<WorkerRole, string> = { extract: 'file', embed: 'passage', query: 'question' };

const done = (role: WorkerRole, n: number) => plural(n, UNIT[role]);

export const isMac = /mac/i.test(globalThis.navigator?.platform ?? '');

/** Ctrl or Cmd, whichever this machine has. */
export const commandKey = isMac ? '⌘' : 'Ctrl';

/** Alt or Option, likewise. */
export const altKey = isMac ? '⌥' : 'Alt';

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
    nothing: (query: string) => `Nothing found for ${query.includes('"') ? query : `“${query}”`}`,
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
      const unread = searched < known ? ` · ${count(known - searched)} still to be read` : '';
      return `${files(shown)} · ${count(tookMs)} ms · searched ${of}${byMeaning}${unread}`;
    },
    page: (n: number) => `Page ${count(n)}`,
    why: (why: Why, named: boolean) => {
      if (named && !holdsWords(why) && !why.meaning) return 'found by its name';
      const ways = [holdsWords(why) && 'words', named && 'name', why.meaning && 'meaning'];
      return ways.filter(Boolean).join(' + ') || (why.keyword ? 'words' : '');
    },
    whyInFull: (why: Why, named: boolean) =>
      [
        named && 'Name: it holds words of the query',
        why.keyword &&
          holdsWords(why) &&
          `Words: ${why.keyword.terms.join(', ')}${place(why.keyword.rank)}`,
        why.meaning &&
          `Meaning: ${why.meaning.similarity.toFixed(2)} alike${place(why.meaning.rank)}`,
      ]
        .filter(Boolean)
        .join('\n'),
    /** As a screen reader says a result: its name, where it lies, what it says, then the rest. */
    spoken: (result: FileResult, folder: string, modified: string, good: boolean) =>
      sentences([
        `${result.name}, in ${folder}`,
        ...result.passages.flatMap(({ page, context, text }) => [
          page === null ? context : [`Page ${count(page)}`, context].filter(Boolean).join(', '),
          text,
        ]),
        result.passages[0] && `By ${t.results.why(result.passages[0].why, result.named)}`.replace(/^By found by/, 'Found by'),
        modified && `Changed ${modified}`,
        good && t.results.good,
        result.alike.length > 0 && capital(t.results.alike(result.alike)),
      ]),
    spokenAlike: ({ name, copy }: AlikeFile, folder: string, good: boolean) =>
      sentences([
        `${name}, in ${folder}`,
        capital(copy ? t.results.isCopy : t.results.isAlike),
        good && t.results.good,
      ]),
    alike: (alike: readonly AlikeFile[]) =>
      alike.every(({ copy }) => copy)
        ? `and ${plural(alike.length, 'identical copy', 'identical copies')}`
        : `and ${plural(alike.length, 'file', 'files')} with the same passage`,
    good: 'Marked good',
    isCopy: 'identical copy',
    isAlike: 'same passage',
    similarTo: (name: string) => `Similar to ${name}`,
    endSimilar: 'Back to the search',
    copied: (name: string) => `Copied, with the path of ${name}`,
    copyFailed: 'The passage could not be copied',
    markFailed: (name: string) => `The mark of ${name} stays as it was`,
    openFailed: (name: string) => `${name} could not be opened`,
    revealFailed: (name: string) => `${name} could not be shown`,
  },

  filters: {
    name: 'Filters',
    type: 'Type',
    folder: 'Folder',
    date: 'Date',
    clear: (name: string) => `Remove the filter: ${name}`,
    types: {
      pdf: 'PDF',
      text: 'Notes and text',
      document: 'Documents',
      sheet: 'Spreadsheets',
      slides: 'Presentations',
      web: 'Web pages',
      mail: 'Mail',
      book: 'Books',
      code: 'Code',
    } satisfies Record<TypeFilter, string>,
    spans: {
      today: 'Today',
      week: 'Past week',
      month: 'Past month',
      year: 'Past year',
      older: 'Older than a year',
    } satisfies Record<Span, string>,
    dates: (after: string | null, before: string | null) =>
      [after && `From ${after}`, before && `${after ? 'before' : 'Before'} ${before}`]
        .filter(Boolean)
        .join(' '),
  },

  history: {
    name: 'Recent searches',
    clear: 'Clear',
    tryThese: 'Try one of these, from your own files',
  },

  preview: {
    name: 'Preview',
    close: 'Close the preview',
    similar: 'Find similar',
    why: 'Why is this here?',
    passage: (n: number, of: number) => `Passage ${count(n)} of ${count(of)}`,
    nothing: 'Nothing of this file can be shown yet.',
  },

  why: {
    name: 'Why is this here?',
    sentences: (result: FileResult, passage: PassageResult | null) => {
      const { keyword = null, meaning = null } = passage?.why ?? {};
      const { arithmetic } = result;
      const best = (z: number | undefined) =>
        z === undefined || z <= 0 ? '' : `, ${z.toFixed(1)} deviations above what else was considered`;
      return [
        keyword &&
          keyword.terms.length > 0 &&
          `It holds ${keyword.terms.map((term) => `“${term}”`).join(', ')}${best(arithmetic.keyword?.z)}.`,
        meaning &&
          `Its meaning is ${Math.round(meaning.similarity * 100)} % like that of your question${best(arithmetic.meaning?.z)}.`,
        result.named && 'Its name holds words of your question.',
      ].filter((sentence) => typeof sentence === 'string');
    },
    parts: {
      meaning: 'Meaning',
      words: 'Words',
      filename: 'Name',
      total: 'Score',
    } satisfies Record<Part['name'], string>,
    figure: (value: number) => (value < 0 ? '−' : '+') + Math.abs(value).toFixed(2),
    picture: (parts: readonly Part[], score: number): string =>
      parts
        .filter(({ name }) => name !== 'total')
        .map(({ name, from, to }) => `${t.why.parts[name]} ${t.why.figure(to - from)}`)
        .join(', ') + `; score ${score.toFixed(2)}`,
    note: ({ keyword, meaning, meaningShare }: Arithmetic) =>
      keyword && meaning
        ? `Meaning counts ${Math.round(meaningShare * 100)} %, words ${Math.round((1 - meaningShare) * 100)} %. Each is measured in deviations from the average of all files considered.`
        : 'Measured in deviations from the average of all files considered.',
  },

  keys: {
    preview: 'Preview',
    space: 'Space',
    copy: 'Copy',
    good: 'Good result',
    back: 'Back',
    choose: 'Choose',
    open: 'Open',
    reveal: 'Show in folder',
    clear: 'Clear',
    unfold: (n: number) => `Show ${count(n)} more`,
    fold: (n: number) => `Hide ${count(n)}`,
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
    paused: 'Paused',
    searchWorks: 'Search still works.',
    resume: 'Resume',
  },

  throttle: {
    name: 'Indexing speed',
    modes: {
      full: {
        label: 'Full speed',
        help: 'Every worker is at it, whatever else this computer does.',
      },
      considerate: {
        label: 'Considerate',
        help: 'Keeps in the background: half the workers on battery or while this computer is in use.',
      },
      paused: {
        label: 'Paused',
        help: 'Nothing is read or embedded. Search still works.',
      },
    } satisfies Record<Mode, { label: string; help: string }>,
    heldBack: ({ allowed, wanted }: PoolStatus, why: string) =>
      `${count(allowed)} of ${plural(wanted, 'worker')}: ${why}`,
    failed: 'The indexing speed stays as it was',
  },

  health: {
    name: 'Health',
    open: 'Health',
    memory: 'Memory',
    throughput: 'Throughput',
    perSecond: (passages: number) => `${rate(passages)} passages/s`,
    moment: (value: string, milliseconds: number) => `${value}, ${ago(milliseconds)}`,
    limit: 'Limit',
    now: 'now',
    ago,
    gathering: 'No figures yet.',
    ofLimit: (bytes: number, limit: number) => `${memory(bytes)} of ${memory(limit)}`,
    machine: ({ availableBytes, machineBytes, isPss }: MemoryStatus) =>
      [
        `${memory(availableBytes)} of this computer’s ${memory(machineBytes)} are free.`,
        isPss ? null : 'What processes share is counted once for each of them.',
      ]
        .filter(Boolean)
        .join(' '),
    workers: 'Workers',
    noModel: (reason: string) => `No passages are embedded: ${reason}`,
    noWorkers: 'No worker runs now.',
    noWorkersPaused: 'No worker runs while indexing is paused.',
    columns: {
      worker: 'Worker',
      state: 'State',
      memory: 'Memory',
      done: 'Done',
      restarts: 'Restarts',
    },
    role: {
      extract: 'Reads files',
      embed: 'Embeds passages',
      query: 'Answers questions',
    } satisfies Record<WorkerRole, string>,
    state: {
      starting: 'Starting',
      idle: 'Waiting',
      busy: 'Working',
      expiring: 'Being replaced',
      retiring: 'Ending',
    } satisfies Record<WorkerState, string>,
    process: (pid: number | null, milliseconds: number) =>
      pid === null ? 'No process yet' : `Process ${pid} · ${duration(milliseconds / 1000)}`,
    done: ({ role, passages }: WorkerStatus) => done(role, passages),
    leases: (n: number) => plural(n, 'lease'),
    restarts: (n: number) => (n === 0 ? 'None' : count(n)),
    why: capital,
    meter: (name: string) => `Memory: ${name}`,
    workerMemory: (bytes: number, soft: number, hard: number) =>
      `${memory(bytes)}; replaced past ${memory(soft)}, ended at once past ${memory(hard)}`,
    whole: 'All of Rummage',
    wholeNote: 'With its window',
    total: ({ plannedRestarts, crashRestarts }: PoolStatus) =>
      plannedRestarts + crashRestarts === 0
        ? 'None'
        : `${count(plannedRestarts)} planned, ${plural(crashRestarts, 'crash', 'crashes')}`,
    ends: 'Recently ended',
    noEnds: 'No worker has ended.',
    endKind: (planned: boolean) => (planned ? 'Planned' : 'Unplanned'),
    endNote: ({ role, pid, passages, memoryBytes }: WorkerEnd) =>
      [
        pid === null ? null : `Process ${pid}`,
        memoryBytes > 0 ? memory(memoryBytes) : null,
        passages > 0 ? done(role, passages) : null,
      ]
        .filter(Boolean)
        .join(' · '),
  },

  folders: {
    name: 'Folders',
    show: 'Folders',
    add: 'Add folders…',
    indexed: (n: number) => `${count(n)} indexed`,
    queued: (n: number) => `${count(n)} queued`,
    skipped: (n: number) => `${count(n)} skipped`,
    failed: (n: number) => `${count(n)} failed`,
    state: {
      watching: 'Watching for changes',
      limited: 'Not watched; looked through every two minutes',
      scanning: 'Scanning…',
      away: 'Away. What it held can still be found.',
    } satisfies Record<RootStatus['state'], string>,
    size: (n: number) => `${bytes(n)} of files`,
    readAgain: 'Read all again',
    pause: 'Pause',
    resume: 'Resume',
    paused: (waiting: number) =>
      waiting === 0 ? 'Paused. What is new there waits.' : `Paused. ${files(waiting)} ${waiting === 1 ? 'waits' : 'wait'}.`,
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
    readAgain: (name: string, n: number) => `${name}: ${files(n)} are read again`,
    failedPause: (name: string, paused: boolean) =>
      paused ? `${name} is not paused` : `${name} is still paused`,
    cleared: 'All that was indexed is cleared',
    failedClear: 'The index is not cleared',
    failedReadAgain: (name: string) => `${name} is not read again`,
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
    filter: 'Filter by name or reason',
    states: 'State',
    folder: 'Folder',
    allFolders: 'All folders',
    all: 'All',
    state: {
      indexed: 'Indexed',
      queued: 'Queued',
      skipped: 'Skipped',
      failed: 'Failed',
    } satisfies Record<FileState, string>,
    columns: { path: 'File', state: 'State', reason: 'Reason', actions: 'Actions' },
    whole: 'Whole folder',
    passages: (n: number) => plural(n, 'passage'),
    tries: ({ tries, againMs }: FileRow, now: Date) => {
      const often = ['', 'Tried once', 'Tried twice'][tries] ?? `Tried ${count(tries)} times`;
      return `${often}, ${againMs === null ? 'next when it changes' : `next ${moment(againMs, now)}`}`;
    },
    retry: 'Retry',
    retryAll: (n: number | null) => (n === null ? 'Retry all' : `Retry all ${count(n)}`),
    retried: (name: string) => `${name} is read again.`,
    retriedAll: (n: number) => (n === 1 ? '1 file is read again.' : `${files(n)} are read again.`),
    include: 'Index anyway',
    included: (name: string, rule: string) => `${name} is indexed, against this: ${rule}`,
    /** What a button does, and to which file. */
    of: (action: string, name: string) => `${action}: ${name}`,
    open: 'Files',
    openFile: 'Open',
    none: 'No files here.',
    searching: 'Looking…',
    loading: 'Loading…',
    found: (n: number, complete: boolean) => (complete ? files(n) : `More than ${files(n)}`),
  },

  settings: {
    name: 'Settings',
    open: 'Settings',
    close: 'Close',
    auto: (n: number, isMeasured: boolean) =>
      isMeasured ? `Auto (${count(n)}, measured)` : `Auto (${count(n)})`,
    autoFor: (label: string) => ` for ${label}`,
    saved: 'Saved',
    range: (min: number, max: number) =>
      `Enter a whole number from ${count(min)} to ${count(max)}.`,
    groups: { speed: 'Speed', files: 'Files', model: 'Model', desktop: 'Window', about: 'On this computer' },
    fields: {
      poolSize: {
        label: 'Pool size',
        help: 'Worker processes that embed passages at the same time.',
      },
      threadsPerWorker: {
        label: 'Threads per worker',
        help: 'More threads make one passage faster, seldom all of them.',
      },
      memoryMegabytes: {
        label: 'Memory per worker',
        help: 'In megabytes. A worker past this is replaced, past twice this it is ended at once.',
      },
      passagesPerLease: {
        label: 'Passages per lease',
        help: 'Passages a worker takes at once. A crash costs no more than these.',
      },
      tokensPerCall: {
        label: 'Tokens per model call',
        help: 'Best about as large as the processor’s cache holds.',
      },
      passageTokens: {
        label: 'Passage size',
        help: 'In tokens, at most. Shorter passages point closer. A change cuts all files anew.',
      },
      maxFileMegabytes: {
        label: 'Maximum file size',
        help: 'In megabytes. Larger files are skipped, and listed so.',
      },
    } satisfies Record<NumberField, { label: string; help: string }>,
    ocr: {
      label: 'Read text in pictures and scans',
      help: (hasTesseract: boolean) =>
        hasTesseract
          ? 'With Tesseract, which is installed on this computer. It takes a while for each page.'
          : 'This needs Tesseract, which is not found on this computer.',
    },
    closeToTray: {
      label: 'Stay in the tray when the window is closed',
      help: (hasTray: boolean) =>
        hasTray
          ? 'Rummage keeps your files indexed there. Quit ends it.'
          : 'This desktop has no tray, so closing the window ends Rummage.',
    },
    startAtLogin: {
      label: 'Start at login',
      help: (hasTray: boolean) => (hasTray ? 'In the tray, without a window.' : 'With its window.'),
    },
    shortcut: {
      label: 'Summon Rummage',
      help: 'Press the keys that bring its search box forward from anywhere.',
      none: 'None',
      clear: 'No keys',
    },
    mode: 'Indexing speed',
    provider: {
      label: 'The model runs on',
      help: (isOwn: boolean, dir: string) =>
        isOwn
          ? `Needs an ONNX Runtime that has it, in ${dir}, and is best with a model that is not int8. Measure this computer after a change.`
          : 'The processor needs nothing else, and is what models in int8 are made for.',
      names: {
        cpu: 'Processor',
        cuda: 'CUDA',
        coreml: 'CoreML',
        directml: 'DirectML',
        openvino: 'OpenVINO',
      } satisfies Record<Provider, string>,
    },
    tune: {
      label: 'Measure this computer',
      help: (tuning: Tuning | null, now: Date) =>
        tuning === null
          ? 'Tries which pool, threads and calls are fastest here. It takes a minute at most; indexing waits, searching does not.'
          : `Last measured: ${day(new Date(tuning.measuredMs).toISOString(), now)}. Auto goes by the first line.`,
      turn: (step: TuneStep | null) =>
        step === null
          ? 'Indexing comes to rest first.'
          : `Turn ${count(step.done)} of ${count(step.most)} at most: ${plural(step.last.poolSize, 'worker')}, ${plural(step.last.threadsPerWorker, 'thread')}, ${plural(step.last.tokensPerCall, 'token')} a call: ${t.settings.tune.rate(step.last.passagesPerSecond)}`,
      rate: (passagesPerSecond: number | null): string =>
        passagesPerSecond === null ? 'no room in memory' : `${rate(passagesPerSecond)}/s`,
      start: 'Measure',
      stop: 'Stop',
      columns: {
        poolSize: 'Workers',
        threadsPerWorker: 'Threads',
        tokensPerCall: 'Tokens a call',
        passagesPerSecond: 'Passages',
      },
    },
    models: {
      /** What it reads and how large it is. */
      about: ({ languages, dims, bytes: size, license, state, offers }: ModelView) =>
        [
          languages.length > 3
            ? plural(languages.length, 'language')
            : languages.map(language).join(', '),
          dims > 0 && t.settings.dims(dims),
          state === 'known'
            ? `${bytes(offers.reduce((sum, offer) => sum + offer.bytes, 0))} to fetch`
            : size > 0 && `${bytes(size)}${state === 'installed' ? ', installed' : ''}`,
          license,
        ]
          .filter(Boolean)
          .join(' · '),
      together: ({ id, parts }: ModelView) =>
        id === 'better'
          ? 'Two models read each passage: indexing is half as fast, and answers are a little better.'
          : `${count(parts.length)} models read each passage, so indexing takes longer.`,
      inUse: 'In use',
      inUseStill: 'Still in use',
      use: 'Use',
      cost: 'All passages are embedded once more, beside the index in use; searching goes on meanwhile.',
      useYes: 'Use it',
      no: 'Not now',
      preparing: (switching: Switching | null, paused: boolean) =>
        [
          switching === null
            ? 'It is being prepared.'
            : `It has read ${count(switching.done)} of ${files(switching.total)}.`,
          paused && 'It waits: indexing is paused.',
        ]
          .filter(Boolean)
          .join(' '),
      progress: (name: string) => `Preparing ${name}`,
      fetch: 'Fetch…',
      fetchCost: ({ offers }: ModelView) =>
        `This fetches ${offers
          .map((offer) => `${offer.id}, ${bytes(offer.bytes)}, from ${offer.address}`)
          .join(', and ')}. Nothing of yours is sent.`,
      fetchYes: 'Fetch it',
      fetching: (step: FetchStep | null) =>
        step === null
          ? 'Asking for it…'
          : step.done === step.total
            ? `${step.id} is here, and is tried.`
            : `${step.id}: ${bytes(step.done)} of ${bytes(step.total)}`,
      fetchProgress: (name: string) => `Fetching ${name}`,
      remove: 'Remove',
      removeCost: ({ bytes: size }: ModelView) =>
        `Its files go (${bytes(size)}), and with them every model that it is a part of. Should it come back, it has little to read anew.`,
      removeYes: 'Remove it',
      keep: 'Keep',
      stop: 'Stop',
      came: 'It is here now.',
      /** What a button does, and with which model. */
      of: (action: string, id: string) => `${action}: ${id}`,
      import: {
        label: 'A model of your own',
        help: 'From a folder with an ONNX file and its tokenizer.json. It is copied, and tried before it is kept.',
        open: 'Import…',
        busy: 'Importing…',
      },
    },
    compare: {
      label: 'Compare the models',
      help: 'Tries each installed one: how good its answers are, how fast it reads, what it takes. The one in use has an advantage: you mark what it shows. Takes seconds; indexing waits.',
      at: (step: CompareStep | null, nameOf: (model: string) => string) => {
        if (step === null) return 'Models are opened, and indexing comes to rest.';
        const what = { preparing: 'its vectors are made', speed: 'how fast it reads', quality: 'how good its answers are' };
        return `Step ${count(step.done + 1)} of ${count(step.most)}: ${nameOf(step.model)}, ${what[step.stage]}.`;
      },
      judgedBy: ({ questions, marks }: Comparison) =>
        questions === 0
          ? 'Answers are not judged yet: open results, or mark them as good.'
          : [
              `Quality by ${plural(questions, 'question')} of yours, with ${plural(marks.opened, 'result')} opened and ${count(marks.good)} marked good: 100 % puts all of them first.`,
              questions < FEW && 'These are few: one more question may turn the order.',
            ]
              .filter(Boolean)
              .join(' '),
      unread: '–: this model has not read enough of your files to be judged. What it lacks it reads once it is used.',
      quality: (quality: number | null) => (quality === null ? '–' : `${Math.round(quality * 100)} %`),
      rate: (passagesPerSecond: number) => `${rate(passagesPerSecond)}/s`,
      milliseconds: (n: number) => `${n < 10 ? n.toFixed(1) : count(n)} ms`,
      memory,
      disk: bytes,
      start: 'Compare',
      stop: 'Stop',
      columns: {
        model: 'Model',
        quality: 'Quality',
        passagesPerSecond: 'Passages',
        questionMs: 'Question',
        memory: 'Memory',
        disk: 'Disk',
      },
    },
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
    showData: 'Show',
    clear: {
      open: 'Clear…',
      name: 'Clear the index',
      confirm: (folders: number, size: number) =>
        `This removes all that was read from your files (${bytes(size)}), ${
          folders === 0 ? '' : `the list of ${plural(folders, 'folder', 'folders')}, `
        }the searches kept, and which results you opened or marked good. Your files stay as they are, and so do the settings.`,
      yes: 'Clear the index',
      no: 'Keep',
      busy: 'Clearing…',
    },
    rememberOpened: {
      label: 'Remember which results you open',
      help: 'Models are compared by these and by results marked good. They stay on this computer.',
    },
    marks: 'Results',
    keptMarks: ({ opened, good }: Marks) =>
      `${[opened > 0 && `${count(opened)} opened`, good > 0 && `${count(good)} marked good`].filter(Boolean).join(', ')}, kept on this computer`,
    clearMarks: 'Forget them',
    clearHistory: 'Clear earlier searches',
    noHistory: 'None kept',
    history: 'Searches',
    kept: (n: number) => `${plural(n, 'search', 'searches')} kept on this computer`,
    settingsFile: 'Settings file',
  },
};
