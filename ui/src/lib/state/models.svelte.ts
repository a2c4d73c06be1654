// The models to choose from: listed, chosen, taken from a folder and fetched, each only when
// the person asks. A fetch goes on while the settings are closed.
import { asAppError, type AppError, type Backend, type FetchStep, type ModelView } from '../backend';

/** What an import is about, and the list: no single model. */
export const IMPORT = null;

export class ModelsState {
  /** `null` until they have come. */
  list = $state.raw<readonly ModelView[] | null>(null);
  /** The model being fetched, and how far that is; `step` is `null` before the first. */
  fetching = $state.raw<{ id: string; step: FetchStep | null } | null>(null);
  isImporting = $state(false);
  /** What went wrong last, and with which model, if with one. */
  failure = $state.raw<{ about: string | null; error: AppError } | null>(null);
  /** The model that came last, imported or fetched. */
  came = $state.raw<string | null>(null);

  readonly #backend: Backend;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  errorOf(about: string | null): string | undefined {
    if (this.failure?.about !== about) return undefined;
    const { message, mend } = this.failure.error;
    return mend ? `${message.replace(/\.?$/, '.')} ${mend}` : message;
  }

  load(): Promise<void> {
    return this.#try(IMPORT, () => this.#list());
  }

  use(id: string): Promise<void> {
    this.#begin();
    return this.#try(id, async () => {
      await this.#backend.useModel(id);
      await this.#list();
    });
  }

  async import(): Promise<void> {
    if (this.isImporting) return;
    this.#begin();
    this.isImporting = true;
    await this.#try(IMPORT, async () => {
      const id = await this.#backend.importModel();
      await this.#list();
      this.came = id;
    });
    this.isImporting = false;
  }

  /** One at a time: they would share the line. */
  async fetch(id: string): Promise<void> {
    if (this.fetching) return;
    this.#begin();
    this.fetching = { id, step: null };
    await this.#try(id, async () => {
      await this.#backend.fetchModel(id, (step) => (this.fetching = { id, step }));
      await this.#list();
      const model = this.list?.find((one) => one.id === id);
      this.came = model?.state === 'installed' ? id : null;
    });
    this.fetching = null;
  }

  /** Says whether it is gone. */
  async remove(id: string): Promise<boolean> {
    this.#begin();
    await this.#try(id, async () => {
      await this.#backend.removeModel(id);
      await this.#list();
    });
    return this.failure === null;
  }

  stopFetching(): Promise<void> {
    return this.#try(this.fetching?.id ?? IMPORT, () => this.#backend.stopFetching());
  }

  #begin(): void {
    this.failure = null;
    this.came = null;
  }

  async #list(): Promise<void> {
    this.list = await this.#backend.models();
  }

  async #try(about: string | null, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (thrown) {
      this.failure = { about, error: asAppError(thrown) };
    }
  }
}
