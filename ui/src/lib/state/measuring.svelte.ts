// What takes its time on this computer: begun and ended by the person, told step by step. It
// goes on while the settings are closed.
import { asAppError, type AppError } from '../backend';

export class MeasuringState<Step, Outcome> {
  isRunning = $state(false);
  /** The latest step of what is under way; `null` before the first. */
  step = $state.raw<Step | null>(null);
  failure = $state.raw<AppError | null>(null);
  /** What came of the latest one; `null` where there was none. */
  outcome = $state.raw<Outcome | null>(null);

  readonly #measure: (told: (step: Step) => void) => Promise<Outcome | null>;
  readonly #stop: () => Promise<void>;

  /** `measure` resolves to `null` where it was stopped with nothing to tell. */
  constructor(
    measure: (told: (step: Step) => void) => Promise<Outcome | null>,
    stop: () => Promise<void>,
  ) {
    this.#measure = measure;
    this.#stop = stop;
  }

  async start(): Promise<void> {
    if (this.isRunning) return;
    this.isRunning = true;
    this.step = null;
    this.failure = null;
    this.begins();
    try {
      this.ends(await this.#measure((step) => (this.step = step)));
    } catch (thrown) {
      this.failure = asAppError(thrown);
    } finally {
      this.isRunning = false;
    }
  }

  async stop(): Promise<void> {
    try {
      await this.#stop();
    } catch (thrown) {
      this.failure = asAppError(thrown);
    }
  }

  /** An earlier outcome does not stand for the one under way. */
  protected begins(): void {
    this.outcome = null;
  }

  protected ends(outcome: Outcome | null): void {
    this.outcome = outcome;
  }
}
