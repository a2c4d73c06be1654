// The rows of the ledger at hand: more of them as they are wanted, those in view
// asked for again as they change, and what a person does about them.
//
// A page is a span of ids: whatever comes and goes in it, the pages beside it stay.
import {
  asAppError,
  type AppError,
  type Backend,
  type FileFilter,
  type FilePage,
  type FileRow,
} from '../backend';
import { baseName } from '../format';
import { t } from '../strings';
import type { Tone } from './notices.svelte';

/** Rows asked for at once: several windows full, and little to send. */
export const PAGE_ROWS = 400;

interface Page {
  /** Its rows come after this id, and up to the other; `null`: however far they go. */
  after: number;
  until: number | null;
  rows: readonly FileRow[];
}

export class Ledger {
  filter = $state.raw<FileFilter>({ state: null, root: null, words: '' });
  failure = $state.raw<AppError | null>(null);
  /** What came of what was done last. */
  told = $state.raw<{ tone: Tone; words: string } | null>(null);

  /** `null` until the first has come. */
  #pages = $state.raw<readonly Page[] | null>(null);

  readonly rows = $derived((this.#pages ?? []).flatMap(({ rows }) => rows));
  /** Nothing was asked yet that has been answered. */
  readonly loading = $derived(this.#pages === null);
  /** There are no rows but these. */
  readonly complete = $derived(this.#pages?.at(-1)?.until === null);
  readonly retryable = $derived(this.rows.filter(({ remedy }) => remedy === 'retry').length);

  readonly #backend: Backend;
  /** Of the filter: answers to earlier ones are dropped. */
  #ticket = 0;
  /** Rows wanted, and whether they are being asked for. */
  #wanted = PAGE_ROWS;
  #filling = false;

  constructor(backend: Backend, begin: Pick<FileFilter, 'state' | 'root'>) {
    this.#backend = backend;
    this.filter = { ...this.filter, state: begin.state, root: begin.root };
  }

  /** Shows other rows. Those of now stay until the first of these are there. */
  show(change: Partial<FileFilter>): Promise<void> {
    this.filter = { ...this.filter, ...change };
    this.told = null;
    this.#ticket += 1;
    this.#wanted = PAGE_ROWS;
    return this.#fill(true);
  }

  /** Sees to it that there are so many rows, if there are so many. */
  async reach(count: number): Promise<void> {
    this.#wanted = Math.max(this.#wanted, count);
    if (!this.#filling) await this.#fill(this.#pages === null);
  }

  /** Asks again for the pages of these rows, the last one included. */
  async refresh(first: number, last: number): Promise<void> {
    let start = 0;
    for (const page of this.#pages ?? []) {
      const end = start + page.rows.length;
      if (start <= last && end >= first) await this.#renew(page);
      start = end;
    }
  }

  /** Reads a file again that did not make it. */
  async retry(row: FileRow): Promise<void> {
    await this.#do(
      () => this.#backend.retryFile(row.id),
      () => t.ledger.retried(baseName(row.path)),
    );
  }

  /** Reads all again that the filter wants and another try may mend. */
  async retryAll(): Promise<void> {
    await this.#do(() => this.#backend.retryFiles(this.filter), t.ledger.retriedAll);
  }

  /** Indexes a file against the rule that leaves it out. */
  async include(row: FileRow): Promise<void> {
    await this.#do(
      () => this.#backend.includeFile(row.id),
      () => t.ledger.included(baseName(row.path), row.reason ?? ''),
    );
  }

  async act(intent: 'open' | 'reveal', row: FileRow): Promise<void> {
    const { openFile, revealFile } = this.#backend;
    await this.#do(
      () => (intent === 'open' ? openFile(row.path, null) : revealFile(row.path)),
      () => null,
    );
  }

  async #do<T>(act: () => Promise<T>, words: (result: T) => string | null): Promise<void> {
    this.told = null;
    try {
      const done = words(await act());
      this.told = done === null ? null : { tone: 'good', words: done };
    } catch (thrown) {
      const { message, mend } = asAppError(thrown);
      this.told = { tone: 'bad', words: [message, mend].filter(Boolean).join(' ') };
    }
  }

  #ask(after: number): Promise<FilePage> {
    return this.#backend.files(this.filter, after, PAGE_ROWS);
  }

  #isEnough(): boolean {
    return this.complete || this.rows.length >= this.#wanted;
  }

  /** Adds pages until there are enough rows. `anew`: the first takes the place of all there are. */
  async #fill(anew: boolean): Promise<void> {
    const ticket = this.#ticket;
    const last = () => (anew ? undefined : this.#pages?.at(-1));
    this.#filling = true;
    try {
      while (anew || !this.#isEnough()) {
        const after = last()?.until ?? 0;
        const { rows, next } = await this.#ask(after);
        if (ticket !== this.#ticket) return;
        // The page before may have become another meanwhile.
        if ((last()?.until ?? 0) !== after) continue;
        this.#pages = [...(anew ? [] : (this.#pages ?? [])), { after, until: next, rows }];
        this.failure = null;
        anew = false;
      }
    } catch (thrown) {
      if (ticket === this.#ticket) this.failure = asAppError(thrown);
    } finally {
      if (ticket === this.#ticket) this.#filling = false;
    }
  }

  async #renew(page: Page): Promise<void> {
    const ticket = this.#ticket;
    const fresh = await this.#ask(page.after).catch(() => null);
    const pages = this.#pages ?? [];
    const place = pages.indexOf(page);
    if (fresh === null || ticket !== this.#ticket || place < 0) return;
    const { after, until } = page;
    const isFuller = fresh.next !== null && (until === null || fresh.next < until);
    // What follows a page that has become shorter is asked for anew.
    const rest = isFuller ? [] : pages.slice(place + 1);
    const rows = fresh.rows.filter(({ id }) => until === null || id <= until);
    const renewed = { after, until: isFuller ? fresh.next : until, rows };
    this.#pages = [...pages.slice(0, place), renewed, ...rest];
  }
}
