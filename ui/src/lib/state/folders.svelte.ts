// Adding folders and letting them go: by drop, by dialog, by button. The folders
// themselves are part of the status, which this file does not keep.
import { asAppError, type AddReport, type Backend, type DropEvent } from '../backend';
import { t } from '../strings';
import type { Notices } from './notices.svelte';

export class Folders {
  /** How many things hang over the window; `null` when nothing does. */
  dragged = $state<number | null>(null);
  /** An add is on its way. */
  busy = $state(false);

  readonly #backend: Backend;
  readonly #notices: Notices;
  /** Called when the folders followed are others than before. */
  readonly #changed: () => void;

  constructor(backend: Backend, notices: Notices, changed: () => void) {
    this.#backend = backend;
    this.#notices = notices;
    this.#changed = changed;
  }

  drop(event: DropEvent): void {
    switch (event.type) {
      case 'enter':
        this.dragged = event.paths.length;
        break;
      case 'over':
        this.dragged ??= 0;
        break;
      case 'leave':
        this.dragged = null;
        break;
      case 'drop':
        this.dragged = null;
        if (event.paths.length > 0) void this.#add(() => this.#backend.addFolders(event.paths));
    }
  }

  pick(): Promise<void> {
    return this.#add(() => this.#backend.pickFolders());
  }

  /** Reads all of a folder again. */
  async readAgain(path: string, name: string): Promise<void> {
    try {
      this.#notices.say(t.notices.readAgain(name, await this.#backend.readAgain(path)));
    } catch (thrown) {
      const { message, mend } = asAppError(thrown);
      this.#notices.warn(t.notices.failedReadAgain(name), mend ? [message, mend] : [message]);
    }
  }

  /** Lets what is new in a folder wait, or go on. */
  async pause(path: string, name: string, paused: boolean): Promise<void> {
    try {
      await this.#backend.pauseFolder(path, paused);
      this.#changed();
    } catch (thrown) {
      const { message, mend } = asAppError(thrown);
      this.#notices.warn(t.notices.failedPause(name, paused), mend ? [message, mend] : [message]);
    }
  }

  /** How large a folder's files are together; `null` where that is not known. */
  async bytesOf(path: string): Promise<number | null> {
    try {
      return await this.#backend.folderBytes(path);
    } catch {
      return null;
    }
  }

  async forget(path: string, name: string): Promise<void> {
    try {
      await this.#backend.forgetFolder(path);
      this.#notices.say(t.notices.forgot(name));
      this.#changed();
    } catch (thrown) {
      const { message, mend } = asAppError(thrown);
      this.#notices.warn(t.notices.failedForget(name), mend ? [message, mend] : [message]);
    }
  }

  async #add(ask: () => Promise<AddReport | null>): Promise<void> {
    this.busy = true;
    try {
      const report = await ask();
      if (report) this.#tell(report);
    } catch (thrown) {
      const { message, mend } = asAppError(thrown);
      this.#notices.warn(t.notices.failedAdd, mend ? [message, mend] : [message]);
    } finally {
      this.busy = false;
    }
  }

  #tell(report: AddReport): void {
    const refused = report.refused.map(({ path, reason }) => t.notices.refused(path, reason));
    const title = report.added.length > 0 ? t.notices.added(report) : t.notices.nothingAdded;
    if (refused.length > 0) this.#notices.warn(title, refused);
    else this.#notices.say(title);
    if (report.added.length > 0) this.#changed();
  }
}
