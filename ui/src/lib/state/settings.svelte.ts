// The settings as last accepted, and what is wrong with those that were not.
// Knows no field's meaning; the limits come with the settings.
import {
  asAppError,
  type AppError,
  type Backend,
  type Settings,
  type SettingsView,
} from '../backend';

export type Field = keyof Settings;

export class SettingsState {
  view = $state.raw<SettingsView | null>(null);
  /** Why a field's latest value was refused. */
  errors = $state.raw<Partial<Record<Field, string>>>({});
  /** What went wrong beside any field. */
  failure = $state.raw<AppError | null>(null);
  /** The field saved last. */
  saved = $state.raw<Field | null>(null);

  readonly #backend: Backend;
  /** Saves go one after another: each builds on what the one before left. */
  #queue: Promise<void> = Promise.resolve();

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  async load(): Promise<void> {
    this.errors = {};
    this.failure = null;
    this.saved = null;
    try {
      this.view = await this.#backend.settings();
    } catch (thrown) {
      this.failure = asAppError(thrown);
    }
  }

  /** What became of the settings elsewhere: what was measured, not what is typed here. */
  take(view: SettingsView): void {
    if (!this.view) return;
    const { auto, measured, tuning } = view;
    this.view = { ...this.view, auto, measured, tuning };
  }

  /**
   * Saves one field. A refused value stays out of the settings, so that it never
   * keeps another field from being saved.
   */
  set<F extends Field>(field: F, value: Settings[F]): Promise<void> {
    this.#queue = this.#queue.then(() => this.#save(field, value));
    return this.#queue;
  }

  /** Forgets which results were opened and marked good; says whether that was done. */
  async clearMarks(): Promise<boolean> {
    try {
      const { marks } = await this.#backend.clearMarks();
      if (this.view) this.view = { ...this.view, marks };
      return true;
    } catch (thrown) {
      this.failure = asAppError(thrown);
      return false;
    }
  }

  /** Notes that a field's value is wrong before it is sent. */
  refuse(field: Field, message: string): void {
    this.errors = { ...this.errors, [field]: message };
    if (this.saved === field) this.saved = null;
  }

  async #save<F extends Field>(field: F, value: Settings[F]): Promise<void> {
    if (!this.view) return;
    this.saved = null;
    try {
      this.view = await this.#backend.saveSettings({ ...this.view.settings, [field]: value });
      this.#accept(field);
      this.saved = field;
    } catch (thrown) {
      this.#blame(asAppError(thrown));
    }
  }

  #accept(field: Field): void {
    const { [field]: _, ...others } = this.errors;
    this.errors = others;
    this.failure = null;
  }

  #blame(error: AppError): void {
    if (this.view && error.field !== null && Object.hasOwn(this.view.settings, error.field)) {
      const message = error.mend ? `${error.message} ${error.mend}` : error.message;
      this.refuse(error.field as Field, message);
    } else {
      this.failure = error;
    }
  }
}

/** The message for a number outside its limits, or `null`. */
export function outOfLimits(
  value: number,
  [min, max]: readonly [number, number],
  message: (min: number, max: number) => string,
): string | null {
  return Number.isInteger(value) && value >= min && value <= max ? null : message(min, max);
}
