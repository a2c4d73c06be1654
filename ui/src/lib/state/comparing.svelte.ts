// Comparing the installed models: begun and ended by the person, told step by step. It goes
// on while the settings are closed, and what came of it stays until the window goes.
import { asAppError, type AppError, type Backend, type CompareStep, type Comparison } from '../backend';

export class ComparingState {
  isRunning = $state(false);
  /** What the comparing under way is at; `null` before its first step. */
  step = $state.raw<CompareStep | null>(null);
  failure = $state.raw<AppError | null>(null);
  /** What came of the latest one that was not stopped. */
  outcome = $state.raw<Comparison | null>(null);

  readonly #backend: Backend;
  /** By what it is judged was forgotten since it began. */
  #isForgotten = false;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  async start(): Promise<void> {
    if (this.isRunning) return;
    this.isRunning = true;
    this.#isForgotten = false;
    this.step = null;
    this.failure = null;
    try {
      const outcome = await this.#backend.compareModels((step) => (this.step = step));
      if (!this.#isForgotten) this.outcome = outcome ?? this.outcome;
    } catch (thrown) {
      this.failure = asAppError(thrown);
    } finally {
      this.isRunning = false;
    }
  }

  async stop(): Promise<void> {
    try {
      await this.#backend.stopComparing();
    } catch (thrown) {
      this.failure = asAppError(thrown);
    }
  }

  /** What it was judged by is gone, and what is being judged as well. */
  forget(): void {
    this.outcome = null;
    this.#isForgotten = true;
  }
}
