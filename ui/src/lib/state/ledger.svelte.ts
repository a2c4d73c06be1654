// The rows of the ledger: which files, in which state, and why. Filtering by
// state is the backend's; filtering by words happens here, on the rows at hand.
import { asAppError, type AppError, type Backend, type FileRow, type FileState } from '../backend';

/** Rows asked for at once: more than a person reads, few enough to draw at once. */
export const ROW_LIMIT = 1000;

export class Ledger {
  state = $state<FileState | null>(null);
  words = $state('');
  /** `null` until the first have come. */
  rows = $state.raw<readonly FileRow[] | null>(null);
  failure = $state.raw<AppError | null>(null);

  readonly shown = $derived(matching(this.rows ?? [], this.words));

  readonly #backend: Backend;
  #ticket = 0;

  constructor(backend: Backend, state: FileState | null, words: string) {
    this.#backend = backend;
    this.state = state;
    this.words = words;
  }

  show(state: FileState | null): Promise<void> {
    this.state = state;
    return this.load();
  }

  async load(): Promise<void> {
    const ticket = ++this.#ticket;
    try {
      const rows = await this.#backend.files(this.state, ROW_LIMIT);
      if (ticket !== this.#ticket) return;
      this.rows = rows;
      this.failure = null;
    } catch (thrown) {
      if (ticket === this.#ticket) this.failure = asAppError(thrown);
    }
  }
}

/** Rows whose path or reason holds every word, in any case. */
export function matching(rows: readonly FileRow[], words: string): readonly FileRow[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return rows;
  return rows.filter((row) => {
    const text = `${row.path} ${row.reason ?? ''}`.toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
}
