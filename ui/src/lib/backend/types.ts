// What passes between the window and the program behind it: shapes only, the
// same names on both sides. Paths are absolute and in the platform's own form.

/** Files known, searchable by their words, and searchable by meaning. */
export interface Coverage {
  known: number;
  searched: number;
  meaning: number;
}

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

export interface WorkerStatus {
  role: string;
  pid: number | null;
  state: string;
  rssBytes: number;
  jobs: number;
  restarts: number;
}

export interface ModelStatus {
  id: string;
  name: string;
  dims: number;
  state: 'loading' | 'ready' | 'missing' | 'failed';
  message: string | null;
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
  files: number;
  state: 'watching' | 'scanning' | 'away';
  message: string | null;
}

export interface Status {
  roots: RootStatus[];
  coverage: Coverage;
  counts: Counts;
  /** `null` when there is nothing to do. */
  indexing: Indexing | null;
  workers: WorkerStatus[];
  model: ModelStatus;
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
  passages: PassageResult[];
}

export interface PassageResult {
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

export interface Why {
  keyword: { rank: number; score: number; terms: string[] } | null;
  meaning: { rank: number | null; similarity: number } | null;
}

export type FileState = 'indexed' | 'queued' | 'skipped' | 'failed';

export interface FileRow {
  path: string;
  state: FileState;
  reason: string | null;
  passages: number;
  bytes: number;
}

/** A number the program may choose by measuring the machine. */
export type OrAuto = number | 'auto';

export interface Settings {
  poolSize: OrAuto;
  threadsPerWorker: OrAuto;
  passagesPerLease: OrAuto;
  tokensPerCall: OrAuto;
  maxFileMegabytes: number;
  ignore: string[];
}

/** The settings that may be left to the program. */
export type AutoField = 'poolSize' | 'threadsPerWorker' | 'passagesPerLease' | 'tokensPerCall';
export type NumberField = AutoField | 'maxFileMegabytes';

export interface SettingsView {
  settings: Settings;
  /** What auto stands for on this machine now. */
  auto: Record<AutoField, number>;
  /** Smallest and largest value allowed, both included. */
  limits: Record<NumberField, [number, number]>;
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
