// Measuring this computer: begun and ended by the person, told turn by turn. It goes on
// while the settings are closed.
import { asAppError, type AppError, type Backend, type SettingsView, type TuneStep } from '../backend';

export class TuningState {
  isRunning = $state(false);
  /** The latest turn of the measuring under way; `null` before the first has ended. */
  step = $state.raw<TuneStep | null>(null);
  failure = $state.raw<AppError | null>(null);
  /** The settings after the latest measuring; `null` where there was none. */
  outcome = $state.raw<SettingsView | null>(null);

  readonly #backend: Backend;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  async start(): Promise<void> {
    if (this.isRunning) return;
    this.isRunning = true;
    this.step = null;
    this.failure = null;
    this.outcome = null;
    try {
      this.outcome = await this.#backend.tune((step) => (this.step = step));
    } catch (thrown) {
      this.failure = asAppError(thrown);
    } finally {
      this.isRunning = false;
    }
  }

  async stop(): Promise<void> {
    try {
      await this.#backend.stopTuning();
    } catch (thrown) {
      this.failure = asAppError(thrown);
    }
  }
}
