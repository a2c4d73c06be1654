// The seam between the window and the program behind it. Everything else in the
// window knows this interface alone, not what stands behind it.
// Not on demand: the window would wait for one more file before it is drawn.
import { tauriBackend } from './tauri';
import type {
  AddReport,
  AppError,
  CompareStep,
  Comparison,
  DropEvent,
  FetchStep,
  FileFilter,
  FilePage,
  HealthSample,
  Mode,
  ModelView,
  NearestSentence,
  Place,
  Preview,
  SearchAnswer,
  Settings,
  SettingsView,
  Status,
  TuneStep,
} from './types';

export type * from './types';

/** Stops what was begun. */
export type Stop = () => void;

/** Every promise here rejects with an `AppError`; see `asAppError`. */
export interface Backend {
  status(): Promise<Status>;
  /** Called at most four times a second while something changes. */
  onStatus(listener: (status: Status) => void): Promise<Stop>;
  /** Folders or single files. */
  addFolders(paths: string[]): Promise<AddReport>;
  /** Asks the person with the platform's own dialog; `null` when cancelled. */
  pickFolders(): Promise<AddReport | null>;
  forgetFolder(path: string): Promise<void>;
  /** Lets what is new in a followed folder wait, or go on. */
  pauseFolder(path: string, paused: boolean): Promise<void>;
  /** Reads all files of a followed folder again; how many those are. */
  readAgain(path: string): Promise<number>;
  /** The size of a followed folder's files together. */
  folderBytes(path: string): Promise<number>;
  /** Shows where the program keeps its data. */
  revealData(): Promise<void>;
  /** Removes all that was indexed, and what is followed. Settings and people's files stay. */
  clearData(): Promise<void>;
  /** At most `limit` files. */
  search(query: string, limit: number): Promise<SearchAnswer>;
  /** Files that hold what means the same as a passage, without its own. */
  similar(place: Place, limit: number): Promise<SearchAnswer>;
  /** For each passage, by its id; `null` where no sentence of it stands out. */
  nearestSentences(query: string, passages: number[]): Promise<(NearestSentence | null)[]>;
  /** The passage at a place with up to so many before and after it. */
  preview(place: Place, before: number, after: number): Promise<Preview>;
  /** What might be asked of the files that are indexed; none while there are none. */
  questions(): Promise<string[]>;
  /** Where the file answers a question, that is noted, unless the settings say not to. */
  openFile(path: string, question: string | null): Promise<void>;
  /** Says that a file is a good answer to a question, or takes that back. */
  markGood(question: string, path: string, good: boolean): Promise<void>;
  /** Forgets which results were opened and marked good. */
  clearMarks(): Promise<SettingsView>;
  /** Shows the file in the platform's file manager. */
  revealFile(path: string): Promise<void>;
  /** At most `limit` rows that come after the one of this id; 0 begins. */
  files(filter: FileFilter, after: number, limit: number): Promise<FilePage>;
  /** Reads a file again that failed or was skipped, by the id of its row. */
  retryFile(id: number): Promise<void>;
  /** The same for all that the filter wants; how many those are. */
  retryFiles(filter: FileFilter): Promise<number>;
  /** Indexes a file against the rule that leaves it out. */
  includeFile(id: number): Promise<void>;
  /** Oldest first, one every two seconds, of the last ten minutes. */
  healthHistory(): Promise<HealthSample[]>;
  /** Kept among the settings; resolves once it is in force. */
  setMode(mode: Mode): Promise<void>;
  settings(): Promise<SettingsView>;
  saveSettings(settings: Settings): Promise<SettingsView>;
  /** Measures for a minute at most how this computer embeds fastest, and works by that. */
  tune(told: (step: TuneStep) => void): Promise<SettingsView>;
  /** Ends the measuring; what was measured before stays. */
  stopTuning(): Promise<void>;
  /** Those that are here first. */
  models(): Promise<ModelView[]>;
  /** Answers with another model once it has read all that is indexed; `Status.switching` tells. */
  useModel(id: string): Promise<void>;
  /** Takes a model from a folder that the person picks; its id, or `null` when cancelled. */
  importModel(): Promise<string | null>;
  /** Gets a known model over the network; resolves once it is here, or that was stopped. */
  fetchModel(id: string, told: (step: FetchStep) => void): Promise<void>;
  stopFetching(): Promise<void>;
  /** Deletes a model that the person added and that nothing uses. */
  removeModel(id: string): Promise<void>;
  /** Measures the installed models side by side; `null` when that was stopped. */
  compareModels(told: (step: CompareStep) => void): Promise<Comparison | null>;
  stopComparing(): Promise<void>;
  /** The window was asked for from outside: its search box is wanted. */
  onSummon(listener: () => void): Promise<Stop>;
  onDrop(listener: (event: DropEvent) => void): Promise<Stop>;
}

/** The backend this window was built for. */
export async function connect(): Promise<Backend> {
  if (import.meta.env.MODE === 'fake') {
    const { fakeBackend } = await import('./fake');
    return fakeBackend();
  }
  return tauriBackend;
}

/** Gives whatever was thrown the shape the window can show. */
export function asAppError(thrown: unknown): AppError {
  if (typeof thrown === 'object' && thrown !== null && 'message' in thrown) {
    const { kind, field, message, mend } = thrown as Partial<AppError>;
    return {
      kind: kind ?? 'unexpected',
      field: field ?? null,
      message: String(message),
      mend: mend ?? null,
    };
  }
  return { kind: 'unexpected', field: null, message: String(thrown), mend: null };
}
