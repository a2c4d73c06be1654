// Measuring how this computer embeds fastest, turn by turn.
import type { Backend, SettingsView, TuneStep } from '../backend';
import { MeasuringState } from './measuring.svelte';

/** What comes of it are the settings, which hold what was measured. */
export class TuningState extends MeasuringState<TuneStep, SettingsView> {
  constructor(backend: Backend) {
    super(
      (told) => backend.tune(told),
      () => backend.stopTuning(),
    );
  }
}
