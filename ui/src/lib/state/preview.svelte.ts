// The file that is looked into: the passages around a place in it, and more of
// them as one reads on. Knows nothing of results or of how a text is drawn.
import { asAppError, type AppError, type Backend, type Place, type Preview } from '../backend';

/** Passages fetched around the place at first, and at a time in either direction. */
const AROUND = 8;
const FURTHER = 20;
/** While the selection runs through a list, only where it rests is looked into. */
const RESTS_MS = 70;

export class PreviewState {
  isOpen = $state(false);
  /** What was asked for last. */
  place = $state.raw<Place | null>(null);
  /** Of `place`, or of the one before it while that is on its way. */
  shown = $state.raw<{ place: Place; preview: Preview } | null>(null);
  error = $state.raw<AppError | null>(null);

  readonly preview = $derived(this.shown?.preview ?? null);
  readonly hasMore = $derived({
    before: (this.preview?.passages[0]?.ordinal ?? 0) > 0,
    after: (this.preview?.passages.at(-1)?.ordinal ?? Infinity) + 1 < (this.preview?.total ?? 0),
  });

  readonly #backend: Backend;
  /** Of the latest request: answers to earlier ones are dropped. */
  #ticket = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #extending = false;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** Looks into a place, if the preview is open; `null` empties it. */
  follow(place: Place | null): void {
    if (!this.isOpen || (place?.path === this.place?.path && place?.at === this.place?.at)) return;
    clearTimeout(this.#timer);
    this.place = place;
    if (place === null) this.#forget();
    else this.#timer = setTimeout(() => void this.#load(place), RESTS_MS);
  }

  open(place: Place): void {
    this.isOpen = true;
    clearTimeout(this.#timer);
    this.place = place;
    void this.#load(place);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.isOpen = false;
    this.place = null;
    this.#forget();
  }

  /** Fetches further passages before or after those that are there. */
  async extend(where: 'before' | 'after'): Promise<void> {
    const { shown } = this;
    const edge = where === 'before' ? shown?.preview.passages[0] : shown?.preview.passages.at(-1);
    if (!shown || !edge || !this.hasMore[where] || this.#extending) return;
    const ticket = this.#ticket;
    const at = { path: shown.place.path, at: edge.start };
    this.#extending = true;
    try {
      const more = await (where === 'before'
        ? this.#backend.preview(at, FURTHER, 0)
        : this.#backend.preview(at, 0, FURTHER));
      if (ticket === this.#ticket) this.shown = { ...shown, preview: joined(shown.preview, more) };
    } catch {
      // What is shown stays; scrolling on asks again.
    } finally {
      this.#extending = false;
    }
  }

  #forget(): void {
    this.#ticket += 1;
    this.shown = null;
    this.error = null;
  }

  async #load(place: Place): Promise<void> {
    const ticket = ++this.#ticket;
    try {
      const preview = await this.#backend.preview(place, AROUND, AROUND);
      if (ticket !== this.#ticket) return;
      this.shown = { place, preview };
      this.error = null;
    } catch (thrown) {
      if (ticket !== this.#ticket) return;
      this.shown = null;
      this.error = asAppError(thrown);
    }
  }
}

/** Both previews' passages, each once. A file read anew in between may leave a gap, which the next look closes. */
function joined(one: Preview, other: Preview): Preview {
  const passages = new Map(
    [...one.passages, ...other.passages].map((passage) => [passage.ordinal, passage]),
  );
  const inOrder = [...passages.values()].sort((a, b) => a.ordinal - b.ordinal);
  return { ...one, total: other.total, passages: inOrder };
}
