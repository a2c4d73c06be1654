// How much of the machine indexing may take: what holds now, and the way to
// another. A choice shows at once; whether it came to pass is the program's to say.
import { asAppError, type Backend, type Mode } from '../backend';
import { t } from '../strings';
import type { Notices } from './notices.svelte';

export class Throttle {
  mode = $state<Mode>('considerate');

  readonly #backend: Backend;
  readonly #notices: Notices;
  /** As the program last said. */
  #told: Mode = 'considerate';
  /** Where resuming leads back to. */
  #atWork: Mode = 'considerate';
  /** Choices on their way. */
  #asking = 0;
  /** They go one after another: the last one made is the one that stays. */
  #queue: Promise<void> = Promise.resolve();

  constructor(backend: Backend, notices: Notices) {
    this.#backend = backend;
    this.#notices = notices;
  }

  /** Takes note of what a status says. One from before a choice does not undo it. */
  modeIs(mode: Mode): void {
    this.#told = mode;
    if (mode !== 'paused') this.#atWork = mode;
    if (this.#asking === 0) this.mode = mode;
  }

  choose(mode: Mode): Promise<void> {
    this.#asking += 1;
    this.mode = mode;
    this.#queue = this.#queue.then(() => this.#send(mode));
    return this.#queue;
  }

  /** Back to how it worked before it was paused. */
  resume(): Promise<void> {
    return this.choose(this.#atWork);
  }

  async #send(mode: Mode): Promise<void> {
    try {
      await this.#backend.setMode(mode);
      this.#asking -= 1;
      this.modeIs(mode);
    } catch (thrown) {
      this.#asking -= 1;
      this.modeIs(this.#told);
      const { message, mend } = asAppError(thrown);
      this.#notices.warn(t.throttle.failed, mend ? [message, mend] : [message]);
    }
  }
}
