// The last minutes of memory and throughput, asked for while someone looks at
// them. The workers themselves are part of the status, which this file does not keep.
import { asAppError, type AppError, type Backend, type HealthSample, type Stop } from '../backend';

/** As often as a sample is taken. */
const EVERY_MS = 2000;

export class Health {
  /** Oldest first; `null` until the first have come. */
  samples = $state.raw<readonly HealthSample[] | null>(null);
  failure = $state.raw<AppError | null>(null);
  /** When it was last asked for: what lies how long ago is told from here. */
  nowMs = $state(Date.now());

  readonly #backend: Backend;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** Asks again and again until stopped; never twice at a time. */
  watch(): Stop {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stopped = false;
    const ask = async (): Promise<void> => {
      try {
        const samples = await this.#backend.healthHistory();
        if (stopped) return;
        this.samples = samples;
        this.failure = null;
      } catch (thrown) {
        if (stopped) return;
        this.failure = asAppError(thrown);
      }
      this.nowMs = Date.now();
      timer = setTimeout(() => void ask(), EVERY_MS);
    };
    void ask();
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }
}
