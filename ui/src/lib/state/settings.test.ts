import { describe, expect, it } from 'vitest';
import type { Backend, Settings, SettingsView } from '../backend';
import { outOfLimits, SettingsState } from './settings.svelte';

const START: Settings = {
  mode: 'considerate',
  poolSize: 'auto',
  threadsPerWorker: 1,
  memoryMegabytes: 'auto',
  passagesPerLease: 'auto',
  tokensPerCall: 'auto',
  provider: 'cpu',
  passageTokens: 'auto',
  ocr: false,
  maxFileMegabytes: 50,
  ignore: [],
  rememberOpened: true,
  closeToTray: true,
  shortcut: '',
  startAtLogin: false,
};

/** A backend that refuses a pool of more than four. */
async function setup() {
  let kept = START;
  const view = () => ({ settings: kept }) as SettingsView;
  const backend = {
    settings: async () => view(),
    saveSettings: async (settings: Settings) => {
      if (Number(settings.poolSize) > 4)
        throw { kind: 'settings', field: 'poolSize', message: 'Too many.', mend: 'Use 4.' };
      if (settings.ignore.includes('disk'))
        throw { kind: 'io', field: null, message: 'Disk full.', mend: null };
      kept = settings;
      return view();
    },
  } as unknown as Backend;
  const state = new SettingsState(backend);
  await state.load();
  return { state, kept: () => kept };
}

it('says whether marks were forgotten', async () => {
  const { state } = await setup();
  const marks = { opened: 0, good: 0 };
  const outcomes = [Promise.reject({ kind: 'io', field: null, message: 'Disk full.', mend: null }), Promise.resolve({ marks })];
  const forgetful = new SettingsState({
    settings: async () => state.view,
    clearMarks: () => outcomes.shift(),
  } as unknown as Backend);
  await forgetful.load();
  expect(await forgetful.clearMarks()).toBe(false);
  expect(forgetful.failure?.message).toBe('Disk full.');
  expect(await forgetful.clearMarks()).toBe(true);
  expect(forgetful.view?.marks).toEqual(marks);
});

describe('saving', () => {
  it('two fields at once both stay', async () => {
    const { state, kept } = await setup();
    await Promise.all([state.set('poolSize', 2), state.set('threadsPerWorker', 3)]);
    expect(kept()).toEqual({ ...START, poolSize: 2, threadsPerWorker: 3 });
    expect(state.saved).toBe('threadsPerWorker');
  });

  it('a refused value names its field and holds up no other', async () => {
    const { state, kept } = await setup();
    await state.set('poolSize', 9);
    expect(state.errors).toEqual({ poolSize: 'Too many. Use 4.' });
    await state.set('maxFileMegabytes', 70);
    expect(kept()).toEqual({ ...START, maxFileMegabytes: 70 });
    expect(state.errors).toEqual({ poolSize: 'Too many. Use 4.' });
    await state.set('poolSize', 3);
    expect([state.errors, state.saved]).toEqual([{}, 'poolSize']);
  });

  it('an error without a field stands by itself', async () => {
    const { state } = await setup();
    await state.set('ignore', ['disk']);
    expect([state.errors, state.failure?.message]).toEqual([{}, 'Disk full.']);
  });
});

it.each([
  [1, null],
  [8, null],
  [0, '1 to 8'],
  [9, '1 to 8'],
  [1.5, '1 to 8'],
  [Number.NaN, '1 to 8'],
])('limits: %d', (value, message) => {
  expect(outOfLimits(value, [1, 8], (min, max) => `${min} to ${max}`)).toBe(message);
});
