// How far the work is, and for a moment that it has come to its end. Small work
// is done between two statuses; that it was done is seen all the same.
import type { Indexing, Status } from '../backend';

/** So long a bar that has reached its end stays. */
const END_MS = 1200;

export class Activity {
  /** The work under way, or just ended; `null` when nothing is to do. */
  indexing = $state.raw<Indexing | null>(null);
  /** Folders are being looked through, and nothing to index was found yet. */
  scanning = $state(false);

  /** Files indexed when nothing was to do; `null` before the first status. */
  #before: number | null = null;
  #latest: Indexing | null = null;
  #end: ReturnType<typeof setTimeout> | undefined;

  statusIs({ indexing, counts, roots }: Status): void {
    const scanning = roots.some((root) => root.state === 'scanning');
    this.scanning = scanning && indexing === null;
    if (indexing !== null) {
      this.#latest = indexing;
      this.#show(indexing);
    } else if (!scanning) this.#rest(counts.indexed);
    this.#before ??= counts.indexed;
  }

  #rest(indexed: number): void {
    const total = Math.max(this.#latest?.total ?? 0, indexed - (this.#before ?? indexed));
    if (total > 0) {
      this.#show(ended(total));
      this.#end = setTimeout(() => (this.indexing = null), END_MS);
    }
    this.#before = indexed;
    this.#latest = null;
  }

  #show(indexing: Indexing): void {
    clearTimeout(this.#end);
    this.indexing = indexing;
  }
}

function ended(total: number): Indexing {
  return {
    done: total,
    total,
    filesPerSecond: 0,
    passagesPerSecond: 0,
    secondsLeft: null,
    current: null,
  };
}
