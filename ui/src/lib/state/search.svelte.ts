// The query, its answer and the selection. Owns when a search runs: shortly
// after typing stops, and again by itself when more has become searchable.
import {
  asAppError,
  type AlikeFile,
  type AppError,
  type Backend,
  type Coverage,
  type FileResult,
  type SearchAnswer,
} from '../backend';

/** Between key presses of a quick typist, so that most words cost one search. */
const TYPING_MS = 60;
/** At most one search of our own accord in this time. */
const REFRESH_MS = 2000;
/** So long after the selection moved, the list under it stays as it is. */
const MOVING_MS = 2000;

type Intent = 'open' | 'reveal';

/** A line of the list that can be selected. */
export interface Row {
  path: string;
  /** The result that the line is, or stands under. */
  result: FileResult;
  /** `null`: it is the result itself. */
  alike: AlikeFile | null;
}

export class Search {
  query = $state('');
  /** Of the latest query answered; stays while the next one is on its way. */
  answer = $state.raw<SearchAnswer | null>(null);
  error = $state.raw<AppError | null>(null);
  pending = $state(false);
  selectedPath = $state<string | null>(null);
  /** Paths of the results whose files alike are shown. */
  unfolded = $state.raw<readonly string[]>([]);

  readonly results = $derived(this.answer?.results ?? []);
  readonly rows = $derived(this.results.flatMap((result) => this.#rowsOf(result)));
  readonly selectedIndex = $derived(this.rows.findIndex((row) => row.path === this.selectedPath));
  readonly selected = $derived(this.rows[this.selectedIndex] ?? null);

  readonly #backend: Backend;
  /** Acts on a chosen file. */
  readonly #act: (intent: Intent, path: string) => void;
  /** Of the latest search begun: answers to earlier ones are dropped. */
  #ticket = 0;
  #typing: ReturnType<typeof setTimeout> | undefined;
  #refresh: ReturnType<typeof setTimeout> | undefined;
  /** The latest search begun is still to be answered. */
  #asking = false;
  #searchedAt = -Infinity;
  #movedAt = -Infinity;
  /** Coverage now, and when the latest search began. */
  #coverage = '';
  #coverageSearched = '';
  /** Enter pressed before the answer was there. */
  #intent: Intent | null = null;

  constructor(backend: Backend, act: (intent: Intent, path: string) => void) {
    this.#backend = backend;
    this.#act = act;
  }

  type(query: string): void {
    this.query = query;
    this.#intent = null;
    clearTimeout(this.#typing);
    clearTimeout(this.#refresh);
    this.#ticket += 1;
    this.#asking = false;
    if (query.trim() === '') {
      this.pending = false;
      this.#show(null);
      return;
    }
    this.pending = true;
    this.#typing = setTimeout(() => void this.#run(true), TYPING_MS);
  }

  clear(): void {
    this.type('');
  }

  select(path: string): void {
    this.selectedPath = path;
    this.#movedAt = performance.now();
  }

  /** Moves the selection by so many lines, stopping at either end. */
  move(by: number): void {
    const last = this.rows.length - 1;
    const next = this.rows[Math.min(last, Math.max(0, this.selectedIndex + by))];
    if (next) this.select(next.path);
  }

  isUnfolded(result: FileResult): boolean {
    return this.unfolded.includes(result.path);
  }

  /** Shows the files alike of the selected result, or hides them. */
  unfold(wanted: boolean): void {
    if (this.selected === null || this.selected.result.alike.length === 0) return;
    const { path } = this.selected.result;
    const others = this.unfolded.filter((one) => one !== path);
    this.unfolded = wanted ? [...others, path] : others;
    this.select(path);
  }

  /** Opens or reveals the selected file; of the answer awaited, if one is. */
  choose(intent: Intent): void {
    if (this.pending) this.#intent = intent;
    else if (this.selectedPath !== null) this.#act(intent, this.selectedPath);
  }

  /** Takes note of what is searchable now; searches again, in a while, if that is news. */
  coverageIs(coverage: Coverage): void {
    this.#coverage = `${coverage.searched} ${coverage.meaning}`;
    if (this.answer && this.#coverage !== this.#coverageSearched) this.#refreshLater();
  }

  #rowsOf(result: FileResult): Row[] {
    const alike = this.isUnfolded(result) ? result.alike : [];
    return [
      { path: result.path, result, alike: null },
      ...alike.map((one) => ({ path: one.path, result, alike: one })),
    ];
  }

  #refreshLater(): void {
    clearTimeout(this.#refresh);
    const due = Math.max(this.#searchedAt + REFRESH_MS, this.#movedAt + MOVING_MS);
    const wait = due - performance.now();
    if (wait > 0) this.#refresh = setTimeout(() => this.#refreshLater(), wait);
    else if (!this.pending && !this.#asking) void this.#run(false);
  }

  /** `fresh`: the person asked; else the same query again, to be shown without ado. */
  async #run(fresh: boolean): Promise<void> {
    const ticket = ++this.#ticket;
    this.#asking = true;
    this.#searchedAt = performance.now();
    this.#coverageSearched = this.#coverage;
    try {
      const answer = await this.#backend.search(this.query.trim());
      if (ticket !== this.#ticket) return;
      this.#show(answer, fresh);
    } catch (thrown) {
      if (ticket !== this.#ticket) return;
      this.error = asAppError(thrown);
    }
    this.#asking = false;
    this.pending = false;
    const intent = this.#intent;
    this.#intent = null;
    if (intent && !this.error) this.choose(intent);
    // What became searchable meanwhile is news again.
    if (this.answer && this.#coverage !== this.#coverageSearched) this.#refreshLater();
  }

  #show(answer: SearchAnswer | null, fresh = true): void {
    this.error = null;
    this.answer = answer;
    if (fresh) this.unfolded = [];
    const first = this.results[0]?.path ?? null;
    const kept = !fresh && this.selectedIndex >= 0;
    if (!kept) this.selectedPath = first;
  }
}
