// The sentence of each passage that is nearest in meaning to the query. Asked for
// once an answer is on the screen, which never waits for it.
import type { Backend, FileResult, Place, SearchAnswer } from '../backend';

/** Passages asked about: those that one sees without scrolling far. */
const MOST = 24;
/** The answer is drawn first. */
const AFTER_MS = 30;

export class Nearest {
  #ranges = $state.raw<ReadonlyMap<string, [number, number]>>(new Map());

  readonly #backend: Backend;
  #ticket = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #query = '';

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** In UTF-16 units of the passage's text; `null` while, or where, there is none. */
  of(path: string, start: number): [number, number] | null {
    return this.#ranges.get(keyOf({ path, at: start })) ?? null;
  }

  /** Asks about the passages of an answer that no word brought in. */
  follow(answer: SearchAnswer | null): void {
    clearTimeout(this.#timer);
    const ticket = ++this.#ticket;
    if (answer?.query !== this.#query) this.#ranges = new Map();
    this.#query = answer?.query ?? '';
    const places = (answer?.results ?? []).flatMap(unmarked).slice(0, MOST);
    if (this.#query === '' || places.length === 0) return;
    this.#timer = setTimeout(() => void this.#ask(this.#query, places, ticket), AFTER_MS);
  }

  async #ask(query: string, places: Place[], ticket: number): Promise<void> {
    try {
      const found = await this.#backend.nearestSentences(query, places);
      if (ticket !== this.#ticket) return;
      const ranges = places.flatMap((place, index) => {
        const range = found[index];
        return range ? [[keyOf(place), range] as const] : [];
      });
      this.#ranges = new Map(ranges);
    } catch {
      // The answer stands without them.
    }
  }
}

function unmarked({ path, passages }: FileResult): Place[] {
  return passages
    .filter(({ highlights, why }) => highlights.length === 0 && why.meaning !== null)
    .map(({ start }) => ({ path, at: start }));
}

function keyOf({ path, at }: Place): string {
  return `${at} ${path}`;
}
