// The sentence of each passage that is nearest in meaning to the query. Asked for
// once an answer is on the screen, which never waits for it.
import type { Backend, NearestSentence, PassageResult, SearchAnswer } from '../backend';

/** Passages asked about: those that one sees without scrolling far. */
const MOST = 24;
/** The answer is drawn first, and the next key comes first too: its question needs the same worker. */
const AFTER_MS = 250;

export class Nearest {
  #found = $state.raw<ReadonlyMap<number, NearestSentence>>(new Map());

  readonly #backend: Backend;
  #ticket = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #query = '';

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** By a passage's id; `null` while, or where, there is none. */
  of(passage: number): NearestSentence | null {
    return this.#found.get(passage) ?? null;
  }

  /** Asks about the passages of an answer that no word brought in. */
  follow(answer: SearchAnswer | null): void {
    clearTimeout(this.#timer);
    const ticket = ++this.#ticket;
    if (answer?.query !== this.#query) this.#found = new Map();
    this.#query = answer?.query ?? '';
    const passages = (answer?.results ?? []).flatMap((result) => result.passages);
    const asked = passages.filter(isUnmarked).slice(0, MOST);
    if (this.#query === '' || asked.length === 0) return;
    const ids = asked.map(({ id }) => id);
    this.#timer = setTimeout(() => void this.#ask(this.#query, ids, ticket), AFTER_MS);
  }

  async #ask(query: string, ids: number[], ticket: number): Promise<void> {
    try {
      const found = await this.#backend.nearestSentences(query, ids);
      if (ticket !== this.#ticket) return;
      this.#found = new Map(
        ids.flatMap((id, index) => {
          const sentence = found[index];
          return sentence ? [[id, sentence] as const] : [];
        }),
      );
    } catch {
      // The answer stands without them.
    }
  }
}

/** Found by its meaning, and no word of it. */
function isUnmarked({ highlights, why }: PassageResult): boolean {
  return highlights.length === 0 && why.meaning !== null;
}
