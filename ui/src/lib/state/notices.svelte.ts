// Short messages about what was just done. They go by themselves, unless they
// say that something did not work: those wait to be read.

export type Tone = 'good' | 'bad';

export interface Notice {
  id: number;
  tone: Tone;
  title: string;
  lines: string[];
}

/** Long enough to read a short line twice. */
const SHOWN_MS = 5000;

export class Notices {
  list = $state.raw<readonly Notice[]>([]);
  #nextId = 0;

  say(title: string): void {
    const id = this.#add({ tone: 'good', title, lines: [] });
    setTimeout(() => this.dismiss(id), SHOWN_MS);
  }

  warn(title: string, lines: string[]): void {
    this.#add({ tone: 'bad', title, lines });
  }

  dismiss(id: number): void {
    this.list = this.list.filter((notice) => notice.id !== id);
  }

  #add(notice: Omit<Notice, 'id'>): number {
    const id = this.#nextId++;
    // The newest three: more would cover the results.
    this.list = [...this.list, { id, ...notice }].slice(-3);
    return id;
  }
}
