// What passes between the window and the program behind it: shapes only, the
// same names on both sides. Paths are absolute and in the platform's own form.

/** Files known, searchable by their words, and searchable by meaning. */
export interface Coverage {
  known: number;
  searched: number;
  meaning: number;
}

/** Rows of the ledger in each state: together they are all of its rows. */
export interface Counts {
  indexed: number;
  queued: number;
  skipped: number;
  failed: number;
}

export interface Indexing {
  done: number;
  total: number;
  filesPerSecond: number;
  passagesPerSecond: number;
  /** `null` while there is no honest estimate yet. */
  secondsLeft: number | null;
  /** The file being worked on. */
  current: string | null;
}

/** How much of the machine indexing may take. */
export type Mode = 'full' | 'considerate' | 'paused';

/** Reads files, computes vectors of passages, or computes those of questions. */
export type WorkerRole = 'extract' | 'embed' | 'query';

/** Expiring: at work until its successor is ready. Retiring: takes no more work and ends. */
export type WorkerState = 'starting' | 'idle' | 'busy' | 'expiring' | 'retiring';

export interface WorkerStatus {
  role: WorkerRole;
  /** `null` while there is no process yet. */
  pid: number | null;
  state: WorkerState;
  memoryBytes: number;
  /** Past this it is replaced, in order. */
  softLimitBytes: number;
  /** Past this it is ended at once. */
  hardLimitBytes: number;
  /** Leases done. */
  jobs: number;
  /** Passages done; files, for one that reads them. */
  passages: number;
  /** Workers that stood in this place before. */
  restarts: number;
  /** Milliseconds since 1970. */
  startedMs: number;
  /** Why the one before it ended. */
  lastEnd: string | null;
}

/** Of the app, its workers and its window together. */
export interface MemoryStatus {
  wholeBytes: number;
  /** Shared pages are counted once (PSS), else once for each process. */
  isPss: boolean;
  limitBytes: number;
  /** What this computer could still give. */
  availableBytes: number;
  machineBytes: number;
}

/** The end of a worker. */
export interface WorkerEnd {
  /** Milliseconds since 1970. */
  atMs: number;
  role: WorkerRole;
  pid: number | null;
  /** Asked for by the program; else it crashed, hung or was killed. */
  planned: boolean;
  why: string;
  /** As of a `WorkerStatus`. */
  passages: number;
  memoryBytes: number;
}

export interface PoolStatus {
  mode: Mode;
  workers: WorkerStatus[];
  plannedRestarts: number;
  crashRestarts: number;
  /** Embedding workers asked for, and how many of these may run now. */
  wanted: number;
  allowed: number;
  /** Why fewer may run than are asked for. */
  heldBack: string | null;
  memory: MemoryStatus;
  /** Newest first. */
  ends: WorkerEnd[];
}

/** One moment of the last ten minutes. */
export interface HealthSample {
  /** Milliseconds since 1970. */
  atMs: number;
  memoryBytes: number;
  passagesPerSecond: number;
  filesPerSecond: number;
  workers: number;
}

export interface ModelStatus {
  id: string;
  name: string;
  dims: number;
  state: 'loading' | 'ready' | 'missing' | 'failed';
  message: string | null;
}

/** A model that is being prepared to take the place of the one in use. */
export interface Switching {
  id: string;
  name: string;
  /** Files that have its vectors, of those that are to have them. */
  done: number;
  total: number;
}

/** A model, or several side by side, to choose from. */
export interface ModelView {
  id: string;
  name: string;
  /** SPDX expression. */
  license: string;
  /** ISO 639 codes; empty where nothing says. */
  languages: string[];
  dims: number;
  bytes: number;
  /** The ids of several models side by side; empty for a single one. */
  parts: string[];
  /** Known: not here. */
  state: 'installed' | 'broken' | 'known';
  /** What is wrong with a broken one. */
  reason: string | null;
  /** What a fetch would get, model by model; empty where there is nothing to fetch. */
  offers: { id: string; address: string; bytes: number }[];
  /** Questions are answered with it. */
  isActive: boolean;
  /** It is in use, or will be once it has read all that is indexed. */
  isChosen: boolean;
  /** The person added it, and nothing in use needs it. */
  canRemove: boolean;
}

/** What is kept of answers: results opened, and results marked good. */
export interface Marks {
  opened: number;
  good: number;
}

/** Installed models side by side. */
export interface Comparison {
  marks: Marks;
  /** Questions that have marks. */
  questions: number;
  /** Of the index. */
  passages: number;
  models: ComparedModel[];
}

export interface ComparedModel {
  id: string;
  name: string;
  isActive: boolean;
  /** Of its files. */
  modelBytes: number;
  /** Of one passage, in the index and in the cache. */
  vectorBytes: number;
  /** `null`: nothing could be measured, for this reason. */
  figures: Figures | null;
  reason: string | null;
}

export interface Figures {
  passagesPerSecond: number;
  /** What the model takes for a question. */
  questionMs: number;
  /** Of a worker that has it loaded. */
  memoryBytes: number;
  /** Passages of the index whose vectors it does not have; with any, its answers are not judged. */
  lacking: number;
  /** nDCG@10, 0 to 1; `null` where answers are not judged. */
  quality: number | null;
}

/** How far comparing is. */
export interface CompareStep {
  done: number;
  most: number;
  /** The id of the model that is at it. */
  model: string;
  stage: 'preparing' | 'speed' | 'quality';
}

/** How far a fetch is, in bytes of that model. */
export interface FetchStep {
  id: string;
  done: number;
  total: number;
}

/** Something a person should know, and what would mend it. */
export interface Problem {
  kind: string;
  message: string;
  mend: string;
}

/** A folder, or a single file, that is followed. */
export interface RootStatus extends Counts {
  path: string;
  name: string;
  /** Limited: looked through now and then, for its changes are not told. */
  state: 'watching' | 'limited' | 'scanning' | 'away';
  /** Why it is limited or away. */
  message: string | null;
  /** What is new there waits. */
  paused: boolean;
}

export interface Status {
  roots: RootStatus[];
  coverage: Coverage;
  counts: Counts;
  /** `null` when there is nothing to do. */
  indexing: Indexing | null;
  pool: PoolStatus;
  model: ModelStatus;
  switching: Switching | null;
  /** Newest first. */
  problems: Problem[];
  diskBytes: number;
}

export interface AddReport {
  added: string[];
  refused: { path: string; reason: string }[];
}

export interface SearchAnswer {
  query: string;
  tookMs: number;
  mode: string;
  notice: string | null;
  coverage: Coverage;
  /** The paths that were marked good for this very question. */
  good: string[];
  /** Best first. */
  results: FileResult[];
}

export interface FileResult {
  path: string;
  name: string;
  folder: string;
  /** ISO 8601. */
  modified: string | null;
  score: number;
  /** Its name holds words of the query, and counts for it. */
  named: boolean;
  passages: PassageResult[];
  arithmetic: Arithmetic;
  /** Other files whose best passage is the same, word for word; best first. */
  alike: AlikeFile[];
}

/** How a file's score came about: the parts of both legs and of the name add up to it. */
export interface Arithmetic {
  keyword: LegScore | null;
  meaning: LegScore | null;
  /** What `meaning.z` is multiplied by where there are both legs, 0 to 1; the rest is for the words. */
  meaningShare: number;
  /** Added because the query names the file. */
  name: number;
  score: number;
}

/** What one way of searching gave a file, beside all that it considered. */
export interface LegScore {
  /** BM25 of the words, or cosine of the meaning. */
  score: number;
  mean: number;
  deviation: number;
  /** How many deviations the score is above the mean. */
  z: number;
}

export interface AlikeFile {
  path: string;
  name: string;
  folder: string;
  /** All of its contents are the same, not only the passage. */
  copy: boolean;
}

export interface PassageResult {
  id: number;
  text: string;
  /** Title and headings above the passage, joined by ` › `; may be empty. */
  context: string;
  /** Bytes of the document's text. */
  start: number;
  end: number;
  page: number | null;
  /** `[from, to)` in `text`, in UTF-16 units, sorted, without overlap. */
  highlights: [number, number][];
  why: Why;
}

/** How a passage reads around the sentence that is nearest to the question. */
export interface NearestSentence {
  text: string;
  /** As in a `PassageResult`. */
  highlights: [number, number][];
}

export interface Why {
  keyword: { rank: number; score: number; terms: string[] } | null;
  meaning: { rank: number | null; similarity: number } | null;
}

/** A file's text around a place in it, cut into its passages. */
export interface Preview {
  path: string;
  name: string;
  folder: string;
  /** ISO 8601. */
  modified: string | null;
  bytes: number;
  /** How many passages the file has. */
  total: number;
  /** In the order of the text, without a gap; empty for a file that is not searchable. */
  passages: PreviewPassage[];
}

export interface PreviewPassage {
  /** Its place in the file, from 0. */
  ordinal: number;
  text: string;
  context: string;
  /** Bytes of the document's text. */
  start: number;
  end: number;
  page: number | null;
}

/** A passage, by its file and its first byte there. */
export interface Place {
  path: string;
  at: number;
}

export type FileState = 'indexed' | 'queued' | 'skipped' | 'failed';

/** Which rows of the ledger are wanted. */
export interface FileFilter {
  /** `null`: of every state. */
  state: FileState | null;
  /** The path of a followed folder; `null`: of all of them. */
  root: string | null;
  /** Each stands somewhere in the path or the reason, in any case. */
  words: string;
}

/** Rows in the order in which the files came. Where words are rare, a page is short before it is the last. */
export interface FilePage {
  rows: FileRow[];
  /** What the next page comes after; `null`: there is none. */
  next: number | null;
}

export interface FileRow {
  /** Grows from row to row. */
  id: number;
  path: string;
  /** A whole folder: one that cannot be listed, or that a rule leaves out. */
  isFolder: boolean;
  state: FileState;
  reason: string | null;
  passages: number;
  bytes: number;
  /** How often it failed in a row. */
  tries: number;
  /** When a failure is tried again by itself, in milliseconds since 1970. */
  againMs: number | null;
  /** What may be done about it: read it again, or index it against the rule that leaves it out. */
  remedy: 'retry' | 'include' | null;
}

/** A number the program may choose by measuring the machine. */
export type OrAuto = number | 'auto';

export interface Settings {
  mode: Mode;
  poolSize: OrAuto;
  threadsPerWorker: OrAuto;
  memoryMegabytes: OrAuto;
  passagesPerLease: OrAuto;
  tokensPerCall: OrAuto;
  provider: Provider;
  /** The most tokens of a passage. */
  passageTokens: OrAuto;
  maxFileMegabytes: number;
  /** Text in pictures and scans is read, with Tesseract. */
  ocr: boolean;
  ignore: string[];
  /** It is noted which results are opened, for models to be compared by. */
  rememberOpened: boolean;
  /** A closed window leaves the program in the tray, where there is one. */
  closeToTray: boolean;
  /** The keys that summon the window, joined by `+`; empty for none. */
  shortcut: string;
  startAtLogin: boolean;
}

/** What the model runs on. */
export type Provider = 'cpu' | 'cuda' | 'coreml' | 'directml' | 'openvino';

/** The settings that are on or off. */
export type SwitchField = 'ocr' | 'rememberOpened' | 'closeToTray' | 'startAtLogin';

/** The settings that may be left to the program. */
export type AutoField =
  | 'poolSize'
  | 'threadsPerWorker'
  | 'memoryMegabytes'
  | 'passagesPerLease'
  | 'tokensPerCall'
  | 'passageTokens';
export type NumberField = AutoField | 'maxFileMegabytes';

/** One way of embedding, and how fast it is; `null` where this computer has no room for it. */
export interface TunedSetting {
  poolSize: number;
  threadsPerWorker: number;
  tokensPerCall: number;
  passagesPerSecond: number | null;
}

export interface Tuning {
  /** Milliseconds since 1970. */
  measuredMs: number;
  /** The one that auto goes by, then the others, the fastest first. */
  table: TunedSetting[];
}

/** How far measuring is. */
export interface TuneStep {
  done: number;
  /** Turns there are at most. */
  most: number;
  last: TunedSetting;
}

export interface SettingsView {
  settings: Settings;
  /** What auto stands for on this machine now. */
  auto: Record<AutoField, number>;
  /** Where auto goes by what was measured on this computer, not by a rule. */
  measured: AutoField[];
  /** `null` where nothing was measured on this computer. */
  tuning: Tuning | null;
  marks: Marks;
  /** Smallest and largest value allowed, both included. */
  limits: Record<NumberField, [number, number]>;
  /** Those that there are for this system. */
  providers: Provider[];
  /** Where an ONNX Runtime of the person's own is looked for. */
  runtimeDir: string;
  /** Tesseract is installed on this computer. */
  hasTesseract: boolean;
  /** The desktop shows a tray now. */
  hasTray: boolean;
  /** Why the keys do not summon, if so. */
  shortcutRefused: string | null;
  dataDir: string;
  settingsFile: string;
}

/** What every command rejects with. */
export interface AppError {
  kind: string;
  /** The field of `Settings` at fault, by its name there. */
  field: string | null;
  message: string;
  mend: string | null;
}

/** Files dragged from outside over the window. */
export type DropEvent =
  | { type: 'enter'; paths: string[] }
  | { type: 'over' }
  | { type: 'drop'; paths: string[] }
  | { type: 'leave' };
