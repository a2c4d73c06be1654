// What was searched for, newest first. Kept by the window, on this computer alone.

const KEY = 'searches';
/** As many as one scrolls through. */
const MOST = 50;
/** An answer looked at for so long was one. */
export const LOOKED_AT_MS = 3000;

export class History {
  list = $state.raw<readonly string[]>([]);

  readonly #storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | null;

  constructor(storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | null) {
    this.#storage = storage;
    this.list = read(storage?.getItem(KEY) ?? null);
  }

  add(query: string): void {
    const asked = query.trim();
    if (asked === '') return;
    const same = (one: string) => one.toLowerCase() === asked.toLowerCase();
    this.list = [asked, ...this.list.filter((one) => !same(one))].slice(0, MOST);
    try {
      this.#storage?.setItem(KEY, JSON.stringify(this.list));
    } catch {
      // A full disk costs the history, not the search.
    }
  }

  clear(): void {
    this.list = [];
    this.#storage?.removeItem(KEY);
  }
}

function read(kept: string | null): string[] {
  try {
    const list: unknown = JSON.parse(kept ?? '[]');
    return Array.isArray(list) ? list.filter((one) => typeof one === 'string').slice(0, MOST) : [];
  } catch {
    return [];
  }
}
