// Comparing the installed models. What came of it stays until the window goes, or another
// one that was not stopped takes its place.
import type { Backend, CompareStep, Comparison } from '../backend';
import { MeasuringState } from './measuring.svelte';

export class ComparingState extends MeasuringState<CompareStep, Comparison> {
  /** By what it is judged was forgotten since it began. */
  #isForgotten = false;

  constructor(backend: Backend) {
    super(
      (told) => backend.compareModels(told),
      () => backend.stopComparing(),
    );
  }

  /** What it was judged by is gone, and what is being judged as well. */
  forget(): void {
    this.outcome = null;
    this.#isForgotten = true;
  }

  protected override begins(): void {
    this.#isForgotten = false;
  }

  protected override ends(outcome: Comparison | null): void {
    if (!this.#isForgotten) this.outcome = outcome ?? this.outcome;
  }
}
