// The query, its answer and the selection. Owns when a search runs: at once while none
// is under way, else when that one has ended, or takes too long; and again by itself
// when more has become searchable.
import {
  asAppError,
  type AlikeFile,
  type AppError,
  type Backend,
  type Coverage,
  type FileResult,
  type Place,
  type SearchAnswer,
} from '../backend';
import { LOOKED_AT_MS } from './history.svelte';

/** So long a key waits for the answer to the one before: two searches at once are slower than one after the other. */
const TYPING_MS = 60;
/** At most one search of our own accord in this time. */
const REFRESH_MS = 2000;
/** So long after the selection moved, the list under it stays as it is. */
const MOVING_MS = 2000;

/** Files asked for at first; so many times as many whenever all of them were scrolled to. */
const LIMIT = 30;
const GROWTH = 4;
/** Longer answers are not asked for again by themselves. */
const REFRESHED = 120;
/** No answer is longer. */
const MOST = 10_000;

export type Intent = 'open' | 'reveal';

/** A line of the list that can be selected. */
export interface Row {
  path: string;
  /** The result that the line is, or stands under. */
  result: FileResult;
  /** `null`: it is the result itself. */
  alike: AlikeFile | null;
}

/** The passage whose like is looked for instead of a query. */
export interface Likeness extends Place {
  name: string;
}

/** Those of the results that stand for none of the files that others stand for. */
function others(results: FileResult[], than: FileResult[]): FileResult[] {
  const known = new Set(than.flatMap(({ path, alike }) => [path, ...alike.map((one) => one.path)]));
  return results
    .filter(({ path }) => !known.has(path))
    .map((one) => ({ ...one, alike: one.alike.filter(({ path }) => !known.has(path)) }));
}

export interface Listeners {
  /** Acts on a chosen file; `question`: what it answers, if it was asked in words. */
  act(intent: Intent, path: string, question: string | null): void;
  /** A file is to be marked as a good answer to a question, or that taken back. */
  mark(question: string, path: string, good: boolean): void;
  /** A query was worth asking: its answer was acted on, or looked at for a while. */
  keep(query: string): void;
}

export class Search {
  query = $state('');
  /** Of the latest query answered; stays while the next one is on its way. */
  answer = $state.raw<SearchAnswer | null>(null);
  error = $state.raw<AppError | null>(null);
  pending = $state(false);
  selectedPath = $state<string | null>(null);
  /** The selection was moved since the last key that wrote something. */
  browsing = $state(false);
  /** Paths of the results whose files alike are shown. */
  unfolded = $state.raw<readonly string[]>([]);
  likeness = $state.raw<Likeness | null>(null);
  /** The paths that were marked good for the question answered. */
  good = $state.raw<readonly string[]>([]);

  readonly results = $derived(this.answer?.results ?? []);
  readonly rows = $derived(this.results.flatMap((result) => this.#rowsOf(result)));
  readonly selectedIndex = $derived(this.rows.findIndex((row) => row.path === this.selectedPath));
  readonly selected = $derived(this.rows[this.selectedIndex] ?? null);
  /** The passage selected: the best one of its file, unless another was pressed. */
  readonly place = $derived(this.#placeOf(this.selected));

  /** The question that the results answer; `null` where they were not asked for in words. */
  readonly question = $derived(this.likeness ? null : this.answer?.query || null);

  readonly #backend: Backend;
  readonly #listeners: Listeners;
  /** Of the latest search begun: answers to earlier ones are dropped. */
  #ticket = 0;
  #typing: ReturnType<typeof setTimeout> | undefined;
  #refresh: ReturnType<typeof setTimeout> | undefined;
  #looking: ReturnType<typeof setTimeout> | undefined;
  /** The latest search begun is still to be answered. */
  #asking = false;
  /** Searches on their way, wanted still or not. */
  #underWay = 0;
  /** What was typed while one was. */
  #next: (() => void) | null = null;
  #limit = LIMIT;
  #searchedAt = -Infinity;
  #movedAt = -Infinity;
  /** Coverage now, and when the latest search began. */
  #coverage = '';
  #coverageSearched = '';
  /** Enter pressed before the answer was there. */
  #intent: Intent | null = null;
  /** Where the passage begins that was pressed, of the selected file. */
  #pressed = $state<number | null>(null);

  constructor(backend: Backend, listeners: Listeners) {
    this.#backend = backend;
    this.#listeners = listeners;
  }

  type(query: string): void {
    this.query = query;
    this.likeness = null;
    this.#begin(query.trim() === '' ? null : this.#isBusy ? TYPING_MS : 0);
  }

  /** Asks without waiting for another key. */
  ask(query: string): void {
    this.query = query;
    this.likeness = null;
    this.#begin(query.trim() === '' ? null : 0);
  }

  clear(): void {
    this.type('');
  }

  /** Looks for what is like the selected passage. The query stays, to come back to. */
  findSimilar(): void {
    const { place, selected } = this;
    if (!place || !selected) return;
    this.keep();
    this.likeness = { ...place, name: (selected.alike ?? selected.result).name };
    this.#begin(0);
  }

  endSimilar(): void {
    this.ask(this.query);
  }

  select(path: string, at: number | null = null): void {
    this.selectedPath = path;
    this.#pressed = at;
    this.#movedAt = performance.now();
  }

  /** Moves the selection by so many lines, stopping at either end. */
  move(by: number): void {
    const last = this.rows.length - 1;
    const next = this.rows[Math.min(last, Math.max(0, this.selectedIndex + by))];
    if (next) this.select(next.path);
    this.browsing = next !== undefined;
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
    else if (this.selectedPath !== null) {
      this.keep();
      this.#listeners.act(intent, this.selectedPath, this.question);
    }
  }

  isGood(path: string): boolean {
    return this.good.includes(path);
  }

  /** Marks the selected file as a good answer, or takes that back. */
  toggleGood(): void {
    const { question, selectedPath: path } = this;
    if (this.pending || question === null || path === null) return;
    this.keep();
    const good = !this.isGood(path);
    // At once: the next press takes it back, whether this one has arrived or not.
    this.goodIs(question, path, good);
    this.#listeners.mark(question, path, good);
  }

  /** What is marked of the question answered; news of another one is none. */
  goodIs(question: string, path: string, good: boolean): void {
    if (question !== this.question) return;
    const others = this.good.filter((one) => one !== path);
    this.good = good ? [...others, path] : others;
  }

  /** Nothing is marked any more. */
  forgetGood(): void {
    this.good = [];
  }

  /** The query is one to come back to. */
  keep(): void {
    clearTimeout(this.#looking);
    if (!this.likeness) this.#listeners.keep(this.query);
  }

  /** All results there are were scrolled to: asks for more of them. */
  more(): void {
    if (this.pending || this.#asking || this.results.length < this.#limit) return;
    if (this.#limit >= MOST) return;
    this.#limit = Math.min(MOST, this.#limit * GROWTH);
    // What was seen stays where it was.
    void this.#run(false, this.results);
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

  #placeOf(row: Row | null): Place | null {
    if (row === null) return null;
    const best = row.result.passages[0]?.start ?? 0;
    // Only in a copy does the same passage stand in the same place.
    if (row.alike) return { path: row.path, at: row.alike.copy ? best : 0 };
    return { path: row.path, at: this.#pressed ?? best };
  }

  /** A new question, asked after `wait` milliseconds; `null`: there is none. */
  #begin(wait: number | null): void {
    this.#intent = null;
    this.browsing = false;
    clearTimeout(this.#typing);
    clearTimeout(this.#refresh);
    clearTimeout(this.#looking);
    this.#ticket += 1;
    this.#asking = false;
    this.pending = wait !== null;
    this.#next = null;
    const run = () => {
      clearTimeout(this.#typing);
      this.#next = null;
      void this.#run(true);
    };
    if (wait === null) this.#show(null);
    else if (wait === 0) run();
    else {
      this.#next = run;
      this.#typing = setTimeout(run, wait);
    }
  }

  get #isBusy(): boolean {
    return this.#underWay > 0;
  }

  #refreshLater(): void {
    clearTimeout(this.#refresh);
    if (this.#limit > REFRESHED) return;
    const due = Math.max(this.#searchedAt + REFRESH_MS, this.#movedAt + MOVING_MS);
    const wait = due - performance.now();
    if (wait > 0) this.#refresh = setTimeout(() => this.#refreshLater(), wait);
    else if (!this.pending && !this.#asking) void this.#run(false);
  }

  /**
   * `fresh`: the person asked; else the same query again, to be shown without ado, below
   * the results that are to stay `above`.
   */
  async #run(fresh: boolean, above: FileResult[] = []): Promise<void> {
    const ticket = ++this.#ticket;
    if (fresh) this.#limit = LIMIT;
    this.#asking = true;
    this.#searchedAt = performance.now();
    this.#coverageSearched = this.#coverage;
    try {
      const answer = await this.#answer();
      if (ticket !== this.#ticket) return;
      const results = [...above, ...others(answer.results, above)].slice(0, this.#limit);
      this.#show({ ...answer, results }, fresh);
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

  async #answer(): Promise<SearchAnswer> {
    const { likeness } = this;
    this.#underWay += 1;
    try {
      return await (likeness
        ? this.#backend.similar({ path: likeness.path, at: likeness.at }, this.#limit)
        : this.#backend.search(this.query.trim(), this.#limit));
    } finally {
      this.#underWay -= 1;
      if (!this.#isBusy) this.#next?.();
    }
  }

  #show(answer: SearchAnswer | null, fresh = true): void {
    this.error = null;
    this.answer = answer;
    this.good = answer?.good ?? [];
    if (fresh) {
      this.unfolded = [];
      this.#pressed = null;
      if (this.results.length > 0) this.#looking = setTimeout(() => this.keep(), LOOKED_AT_MS);
    }
    const kept = !fresh && this.selectedIndex >= 0;
    if (!kept) this.selectedPath = this.results[0]?.path ?? null;
  }
}
