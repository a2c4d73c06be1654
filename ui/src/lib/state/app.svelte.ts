// The window's state as a whole: who owns what, and how a status reaches all of them.
import { createContext, tick } from 'svelte';
import {
  asAppError,
  type AppError,
  type Backend,
  type FileState,
  type Problem,
  type Status,
  type Stop,
} from '../backend';
import { baseName } from '../format';
import { t } from '../strings';
import { Activity } from './activity.svelte';
import { ComparingState } from './comparing.svelte';
import { quotation } from './copy';
import { Folders } from './folders.svelte';
import { History } from './history.svelte';
import { ModelsState } from './models.svelte';
import { Nearest } from './nearest.svelte';
import { Notices } from './notices.svelte';
import { PreviewState } from './preview.svelte';
import { Search } from './search.svelte';
import { Throttle } from './throttle.svelte';
import { TuningState } from './tuning.svelte';

export type Dialog =
  | { name: 'settings' }
  | { name: 'health' }
  | { name: 'ledger'; state: FileState | null; root: string | null };

const HAD_FOLDERS = 'had-folders';

export class AppState {
  readonly backend: Backend;
  readonly notices = new Notices();
  readonly search: Search;
  readonly preview: PreviewState;
  readonly nearest: Nearest;
  readonly history = new History(storage());
  readonly folders: Folders;
  readonly activity = new Activity();
  readonly throttle: Throttle;
  readonly tuning: TuningState;
  readonly comparing: ComparingState;
  readonly models: ModelsState;

  /** Folders were followed when the window was last open. */
  readonly hadFolders = storage()?.getItem(HAD_FOLDERS) === 'yes';

  /** `null` until the first has come. */
  status = $state.raw<Status | null>(null);
  /** Why there is no status. */
  failure = $state.raw<AppError | null>(null);
  dialog = $state.raw<Dialog | null>(null);

  readonly problems = $derived(
    unique(this.status?.problems ?? []).filter((one) => !this.#dismissed.includes(keyOf(one))),
  );

  #dismissed = $state.raw<readonly string[]>([]);

  constructor(backend: Backend) {
    this.backend = backend;
    this.search = new Search(backend, {
      act: (intent, path, question) => void this.#act(intent, path, question),
      mark: (question, path, good) => void this.#mark(question, path, good),
      keep: (query) => this.history.add(query),
    });
    this.preview = new PreviewState(backend);
    this.nearest = new Nearest(backend);
    this.folders = new Folders(backend, this.notices, () => void this.refresh());
    this.throttle = new Throttle(backend, this.notices);
    this.tuning = new TuningState(backend);
    this.comparing = new ComparingState(backend);
    this.models = new ModelsState(backend);
  }

  /** Listens until stopped. */
  start(): Stop {
    const listening = [
      this.backend.onStatus((status) => this.#accept(status)),
      this.backend.onDrop((event) => this.folders.drop(event)),
      this.backend.onSummon(() => void this.#summon()),
    ];
    for (const one of listening) one.catch((thrown) => (this.failure = asAppError(thrown)));
    // What answers begins its work with this, and is to leave the first drawing alone.
    void drawn().then(() => this.refresh());
    return () => {
      for (const one of listening)
        void one.then(
          (stop) => stop(),
          () => undefined,
        );
    };
  }

  async refresh(): Promise<void> {
    try {
      this.#accept(await this.backend.status());
    } catch (thrown) {
      this.failure = asAppError(thrown);
    }
  }

  /** Until the program says it anew in other words, or the window is opened again. */
  dismiss(problem: Problem): void {
    this.#dismissed = [...this.#dismissed, keyOf(problem)];
  }

  /** Looks into the selected file, or away from it. */
  togglePreview(): void {
    const { place } = this.search;
    if (this.preview.isOpen) this.closePreview();
    else if (place) {
      this.search.keep();
      this.preview.open(place);
    }
  }

  closePreview(): void {
    this.preview.close();
    document.getElementById('search')?.focus();
  }

  /** The selected passage and its file go to the clipboard. */
  async copyPassage(): Promise<void> {
    const { selected, place } = this.search;
    if (!selected || !place) return;
    this.search.keep();
    try {
      await navigator.clipboard.writeText(quotation(selected.result, place.path, place.at));
      this.notices.say(t.results.copied(baseName(place.path)));
    } catch (thrown) {
      this.notices.warn(t.results.copyFailed, [asAppError(thrown).message]);
    }
  }

  /** All that was indexed goes, and so do the earlier searches and what was made of their answers. */
  async clearData(): Promise<void> {
    try {
      await this.backend.clearData();
      this.history.clear();
      this.search.clear();
      this.comparing.forget();
      this.closePreview();
      this.dialog = null;
      this.notices.say(t.notices.cleared);
    } catch (thrown) {
      const { message, mend } = asAppError(thrown);
      this.notices.warn(t.notices.failedClear, mend ? [message, mend] : [message]);
    }
    await this.refresh();
  }

  async revealData(): Promise<void> {
    try {
      await this.backend.revealData();
    } catch (thrown) {
      const { message, mend } = asAppError(thrown);
      this.notices.warn(t.settings.dataDir, mend ? [message, mend] : [message]);
    }
  }

  #accept(status: Status): void {
    if (this.status?.roots.length !== status.roots.length) noteFolders(status.roots.length > 0);
    this.status = status;
    this.failure = null;
    this.search.coverageIs(status.coverage);
    this.activity.statusIs(status);
    this.throttle.modeIs(status.pool.mode);
  }

  /** The window was just brought forward to be asked: what is there is marked, to be written over. */
  async #summon(): Promise<void> {
    this.dialog = null;
    // What lies below a dialog takes no focus.
    await tick();
    const input = document.getElementById('search');
    if (input instanceof HTMLInputElement) {
      input.focus();
      input.select();
    }
  }

  async #act(intent: 'open' | 'reveal', path: string, question: string | null): Promise<void> {
    try {
      await (intent === 'open'
        ? this.backend.openFile(path, question)
        : this.backend.revealFile(path));
    } catch (thrown) {
      const { message, mend } = asAppError(thrown);
      const title = (intent === 'open' ? t.results.openFailed : t.results.revealFailed)(
        baseName(path),
      );
      this.notices.warn(title, mend ? [message, mend] : [message]);
    }
  }

  async #mark(question: string, path: string, good: boolean): Promise<void> {
    try {
      await this.backend.markGood(question, path, good);
    } catch (thrown) {
      this.search.goodIs(question, path, !good);
      const { message, mend } = asAppError(thrown);
      const title = t.results.markFailed(baseName(path));
      this.notices.warn(title, mend ? [message, mend] : [message]);
    }
  }
}

/** Once what is there now is on the screen. A hidden window is not drawn, and is not waited for. */
function drawn(): Promise<void> {
  if (document.hidden) return Promise.resolve();
  return new Promise((resolve) =>
    requestAnimationFrame(() => setTimeout(resolve)),
  );
}

/** Where the window keeps what is its own; a browser may refuse it. */
function storage(): Storage | null {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

function noteFolders(there: boolean): void {
  try {
    storage()?.setItem(HAD_FOLDERS, there ? 'yes' : 'no');
  } catch {
    // A full disk costs a moment at the next start.
  }
}

/** The window tells problems apart by their words. */
function unique(problems: Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [keyOf(problem), problem])).values()];
}

function keyOf(problem: Problem): string {
  return `${problem.kind}\n${problem.message}`;
}

export const [useApp, provideApp] = createContext<AppState>();
