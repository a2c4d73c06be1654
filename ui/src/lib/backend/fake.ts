// A backend of sample data, for design work and tests. It is in no bundle but
// the one built with `--mode fake`.
//
// `?scene=` chooses what it begins with: one of `SCENES`, or `unreadable`. `window.fake`
// lets a test push a status, drag files over the window and see what was asked for.
import type { Backend } from '.';
import {
  emptyStatus,
  failuresStatus,
  indexingStatus,
  readyStatus,
  RESULTS,
  rootOf,
  sampleComparison,
  sampleModels,
  sampleSettings,
} from './fake-data';
import { pageOf, queued, retried, rowsOf } from './fake-ledger';
import { emptyPool, heldBack, paused, sampleHistory, stormPool, unmeasured } from './fake-pool';
import { hostileResults, manyResults, nearestOf, previewOf, similarTo } from './fake-preview';
import type { AppError, DropEvent, FileResult, HealthSample, Problem, SearchAnswer, SettingsView, Status, TunedSetting } from './types';

export interface Fake {
  status: Status;
  push(change: Partial<Status>): void;
  drag(event: DropEvent): void;
  summon(): void;
  /** What the Health panel charts; `null` fails. */
  history: HealthSample[] | null;
  historyAsked: number;
  /** What was opened, revealed, forgotten, throttled, retried, included and saved, in order. */
  calls: unknown[][];
  searches: string[];
  answerDelayMs: number;
  /** A turn of measuring, or a step of a fetch, takes so long. */
  turnMs: number;
  /** The model that the settings name; `null`: the one that the status shows. */
  chosen: string | null;
}

declare global {
  interface Window {
    fake?: Fake;
  }
}

const SCENES: Record<string, () => Status> = {
  first: emptyStatus,
  ready: readyStatus,
  failures: failuresStatus,
  indexing: indexingStatus,
  paused: () => paused(indexingStatus()),
  battery: () => heldBack(indexingStatus()),
  storm: () => ({ ...indexingStatus(), pool: stormPool() }),
  problems: () => ({
    ...readyStatus(),
    problems: [
      {
        kind: 'disk_full',
        message: 'The disk is full, so new files are not searchable yet.',
        mend: 'Free some space; Rummage goes on by itself.',
      },
    ],
    pool: unmeasured(emptyPool()),
    model: { ...readyStatus().model, state: 'missing', message: 'model.onnx is not there.' },
  }),
};

export function fakeBackend(): Backend {
  const scene = new URLSearchParams(location.search).get('scene') ?? 'ready';
  const statusListeners = new Set<(status: Status) => void>();
  const summonListeners = new Set<() => void>();
  const dropListeners = new Set<(event: DropEvent) => void>();
  const fake: Fake = {
    status: (SCENES[scene] ?? readyStatus)(),
    push(change) {
      fake.status = { ...fake.status, ...change };
      for (const listener of statusListeners) listener(fake.status);
    },
    summon() {
      for (const listener of summonListeners) listener();
    },
    drag(event) {
      for (const listener of dropListeners) listener(event);
    },
    history: scene === 'indexing' || scene === 'storm' ? sampleHistory() : [],
    historyAsked: 0,
    calls: [],
    searches: [],
    answerDelayMs: 20,
    turnMs: 20,
    chosen: null,
  };
  window.fake = fake;
  let stopTuning = () => undefined as void;
  let stopFetching = () => undefined as void;
  let stopComparing = () => undefined as void;
  /** What was marked good, by question. */
  const goods = new Map<string, string[]>();
  let models = sampleModels();
  const rows = rowsOf(fake.status);
  const rowOf = (id: number) => rows.filter((row) => row.id === id);
  const isPlain = scene === 'problems';
  let view: SettingsView = {
    ...sampleSettings(),
    hasTesseract: !isPlain,
    hasTray: !isPlain,
    shortcutRefused: isPlain ? 'another program has taken Ctrl+Alt+Space already: choose others' : null,
  };

  return {
    async status() {
      if (scene === 'unreadable')
        throw problem(null, 'The index could not be opened.', 'Close the other Rummage first.');
      // As long as an index takes to open on a slow disk.
      if (scene === 'slow') await new Promise((resolve) => setTimeout(resolve, 2000));
      return fake.status;
    },
    async onStatus(listener) {
      statusListeners.add(listener);
      return () => statusListeners.delete(listener);
    },
    async addFolders(paths) {
      const refused = paths
        .filter((path) => path.startsWith('/proc'))
        .map((path) => ({ path, reason: 'it holds no files of yours' }));
      const added = paths.filter((path) => !path.startsWith('/proc'));
      fake.push({
        roots: [...fake.status.roots, ...added.map((path) => rootOf(path, { state: 'scanning' }))],
      });
      return { added, refused };
    },
    async pickFolders() {
      const path = '/home/you/Pictures';
      fake.push({ roots: [...fake.status.roots, rootOf(path, { state: 'scanning' })] });
      return { added: [path], refused: [] };
    },
    async forgetFolder(path) {
      fake.calls.push(['forget', path]);
      fake.push({ roots: fake.status.roots.filter((root) => root.path !== path) });
    },
    async pauseFolder(path, paused) {
      fake.calls.push(['pause', path, paused]);
      const roots = fake.status.roots.map((root) =>
        root.path === path ? { ...root, paused } : root,
      );
      fake.push({ roots });
    },
    async readAgain(path) {
      fake.calls.push(['readAgain', path]);
      return fake.status.roots.find((root) => root.path === path)?.indexed ?? 0;
    },
    async folderBytes(path) {
      return path.length * 51_200_000;
    },
    async revealData() {
      fake.calls.push(['reveal', view.dataDir]);
    },
    async clearData() {
      fake.calls.push(['clear']);
      if (scene === 'storm') throw problem(null, 'Another Rummage indexes.', 'Wait for it.');
      fake.push(emptyStatus());
    },
    async search(query, limit) {
      fake.searches.push(query);
      await new Promise((resolve) => setTimeout(resolve, fake.answerDelayMs));
      if (query === 'fail:')
        throw problem(null, 'The index is being rebuilt.', 'Try again in a minute.');
      const found = scene === 'many' ? manyResults(Math.min(limit, MANY)) : scene === 'hostile' ? hostileResults() : undefined;
      return { ...answer(query, fake.status, found?.slice(0, limit)), good: goods.get(query) ?? [] };
    },
    async similar(place) {
      fake.calls.push(['similar', place]);
      return similarTo(place, fake.status.coverage);
    },
    async nearestSentences(_query, passages) {
      return passages.map((id) => nearestOf(id));
    },
    async preview(place, before, after) {
      if (place.path.endsWith('.xlsx')) throw problem(null, 'The file is gone.', null);
      return previewOf(place, before, after);
    },
    async questions() {
      return fake.status.coverage.meaning > 0
        ? ['Heat pump comparison', 'tariff change', 'running costs']
        : [];
    },
    async openFile(path, question) {
      fake.calls.push(['open', path, question]);
      if (path.endsWith('.eml')) throw problem(null, 'The file is gone.', null);
    },
    async markGood(question, path, good) {
      fake.calls.push(['good', path, question, good]);
      if (scene === 'storm') throw problem(null, 'another process is indexing', 'Wait for it.');
      const others = (goods.get(question) ?? []).filter((one) => one !== path);
      goods.set(question, good ? [...others, path] : others);
    },
    async clearMarks() {
      fake.calls.push(['clearMarks']);
      goods.clear();
      view = { ...view, marks: { opened: 0, good: 0 } };
      return view;
    },
    async revealFile(path) {
      fake.calls.push(['reveal', path]);
    },
    async files(filter, after, limit) {
      return pageOf(rows, filter, after, limit);
    },
    async retryFile(id) {
      fake.calls.push(['retry', id]);
      fake.push(queued(fake.status, rowOf(id)));
    },
    async retryFiles(filter) {
      fake.calls.push(['retryAll', filter]);
      const again = retried(rows, filter);
      fake.push(queued(fake.status, again));
      return again.length;
    },
    async includeFile(id) {
      fake.calls.push(['include', id]);
      const [row] = rowOf(id);
      if (row?.path.endsWith('.cache')) throw problem(null, 'It is no longer there.', null);
      fake.push(queued(fake.status, rowOf(id)));
    },
    async healthHistory() {
      fake.historyAsked += 1;
      if (fake.history === null) throw problem(null, 'No figures are kept.', null);
      return fake.history;
    },
    async setMode(mode) {
      fake.calls.push(['mode', mode]);
      if (scene === 'storm') throw problem(null, 'Another Rummage indexes.', null);
      view = { ...view, settings: { ...view.settings, mode } };
      fake.push({ pool: { ...fake.status.pool, mode } });
    },
    async settings() {
      return view;
    },
    async saveSettings(settings) {
      fake.calls.push(['save', settings]);
      if (Number(settings.poolSize) * Number(settings.threadsPerWorker) > 64)
        throw problem('poolSize', 'More threads than this machine has.', null);
      if (settings.ignore.some((pattern) => pattern.includes('[') && !pattern.includes(']')))
        throw problem('ignore', 'A bracket is not closed.', 'Write \\[ for the sign itself.');
      if (settings.shortcut === 'Ctrl+Alt+T')
        throw problem('shortcut', 'another program has taken Ctrl+Alt+T already: choose others', null);
      view = { ...view, settings, shortcutRefused: null };
      const others = fake.status.problems.filter(({ kind }) => kind !== 'provider');
      const problems = settings.provider === 'cpu' ? others : [...others, NO_PROVIDER];
      fake.push({ problems });
      fake.push({ pool: { ...fake.status.pool, mode: settings.mode } });
      return view;
    },
    async tune(told) {
      fake.calls.push(['tune']);
      if (scene === 'storm') throw problem(null, 'This computer is being measured already.', 'Wait for its end.');
      for (const [done, last] of TUNED.entries()) {
        told({ done: done + 1, most: TUNED.length, last });
        const isStopped = await new Promise<boolean>((resolve) => {
          setTimeout(() => resolve(false), fake.turnMs);
          stopTuning = () => resolve(true);
        });
        if (isStopped) return view;
      }
      const table = TUNED.filter(({ passagesPerSecond }) => passagesPerSecond !== null);
      table.sort((a, b) => Number(b.passagesPerSecond) - Number(a.passagesPerSecond));
      const [best] = table;
      view = {
        ...view,
        auto: { ...view.auto, ...best },
        measured: ['poolSize', 'threadsPerWorker', 'tokensPerCall'],
        tuning: { measuredMs: Date.now(), table },
      };
      return view;
    },
    async stopTuning() {
      stopTuning();
    },
    async models() {
      // What was prepared to its end is in use.
      const { model, switching } = fake.status;
      return models.map((one) => ({
        ...one,
        isActive: one.id === model.id,
        isChosen: one.id === (fake.chosen ?? (switching ?? model).id),
      }));
    },
    async useModel(id) {
      fake.calls.push(['useModel', id]);
      if (scene === 'storm') throw problem(null, 'another process is indexing', 'Wait for it.');
      const { name } = models.find((one) => one.id === id) ?? { name: id };
      const isBack = id === fake.status.model.id;
      fake.push({ switching: isBack ? null : { id, name, done: 1204, total: 5183 } });
    },
    async importModel() {
      fake.calls.push(['importModel']);
      if (scene === 'storm') throw problem(null, '/home/you/Pictures is no model that can be imported: it has no ONNX file', null);
      const [first] = models;
      const id = 'my-model';
      if (first) models = [first, { ...first, id, name: id, canRemove: true }, ...models.slice(1)];
      return id;
    },
    async fetchModel(id, told) {
      fake.calls.push(['fetchModel', id]);
      if (scene === 'storm') throw problem(null, 'the hub cannot be reached', 'Is there a network?');
      const offers = models.find((one) => one.id === id)?.offers ?? [];
      for (const offer of offers) {
        told({ id: offer.id, done: Math.round(offer.bytes * 0.4), total: offer.bytes });
        const isStopped = await new Promise<boolean>((resolve) => {
          setTimeout(() => resolve(false), fake.turnMs);
          stopFetching = () => resolve(true);
        });
        if (isStopped) return;
      }
      const came = [id, ...offers.map((offer) => offer.id)];
      models = models.map((one) =>
        came.includes(one.id) ? { ...one, state: 'installed', offers: [] } : one,
      );
    },
    async stopFetching() {
      stopFetching();
    },
    async removeModel(id) {
      fake.calls.push(['removeModel', id]);
      if (scene === 'storm') throw problem(null, `the model ${id} is in use`, 'Use another model first.');
      models = models.filter((one) => one.id !== id);
    },
    async compareModels(told) {
      fake.calls.push(['compareModels']);
      if (scene === 'storm') throw problem(null, 'This computer is being measured already.', 'Wait for its end.');
      const installed = models.filter(({ state }) => state === 'installed');
      for (const [done, { id }] of installed.entries()) {
        told({ done: 3 * done, most: 3 * installed.length, model: id, stage: 'speed' });
        const isStopped = await new Promise<boolean>((resolve) => {
          setTimeout(() => resolve(false), fake.turnMs);
          stopComparing = () => resolve(true);
        });
        if (isStopped) return null;
      }
      const inUse = fake.status.model.id;
      return sampleComparison(
        models.map((one) => ({ ...one, isActive: one.id === inUse })),
        view.marks,
      );
    },
    async stopComparing() {
      stopComparing();
    },
    async onSummon(listener) {
      summonListeners.add(listener);
      return () => summonListeners.delete(listener);
    },
    async onDrop(listener) {
      dropListeners.add(listener);
      return () => dropListeners.delete(listener);
    },
  };
}

/** As on a computer with the library that comes with Rummage. */
const NO_PROVIDER: Problem = {
  kind: 'provider',
  message: 'The model runs on the processor, not on CUDA: /usr/lib/Rummage/runtime/libonnxruntime.so was built without CUDA',
  mend: 'Put an ONNX Runtime that has CUDA into /home/you/.local/share/rummage/runtime, or choose the processor in the settings.',
};

function problem(field: string | null, message: string, mend: string | null): AppError {
  return { kind: 'fake', field, message, mend };
}

/** As a machine of two cores measures. */
const TUNED: TunedSetting[] = [
  { poolSize: 1, threadsPerWorker: 2, tokensPerCall: 256, passagesPerSecond: 108.4 },
  { poolSize: 2, threadsPerWorker: 1, tokensPerCall: 256, passagesPerSecond: 141.2 },
  { poolSize: 2, threadsPerWorker: 1, tokensPerCall: 4096, passagesPerSecond: 112.9 },
  { poolSize: 3, threadsPerWorker: 1, tokensPerCall: 256, passagesPerSecond: null },
  { poolSize: 2, threadsPerWorker: 1, tokensPerCall: 64, passagesPerSecond: 158.3 },
];

/** As many as the longest answer. */
const MANY = 10_000;

function answer(query: string, status: Status, found?: FileResult[]): SearchAnswer {
  const results = found
    ? found
    : /^(h|g)/i.test(query)
    ? RESULTS
    : query.startsWith('tariff')
      ? RESULTS.slice(3, 4)
      : [];
  return {
    query,
    tookMs: 41.3,
    mode: 'hybrid',
    notice: status.model.state === 'ready' ? null : 'The model is missing: matching words only.',
    coverage: status.coverage,
    good: [],
    results,
  };
}
