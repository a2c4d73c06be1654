import { expect, it } from 'vitest';
import type { Backend, SettingsView, TuneStep } from '../backend';
import { TuningState } from './tuning.svelte';

const last = { poolSize: 2, threadsPerWorker: 1, tokensPerCall: 64, passagesPerSecond: 99 };
const view = { dataDir: 'measured' } as SettingsView;

function setup(tune: (told: (step: TuneStep) => void) => Promise<SettingsView>) {
  let stops = 0;
  const backend = { tune, stopTuning: async () => void (stops += 1) } as unknown as Backend;
  return { tuning: new TuningState(backend), stops: () => stops };
}

it('tells each turn, and in the end the settings', async () => {
  let end: (view: SettingsView) => void = () => undefined;
  const { tuning } = setup((told) => {
    told({ done: 1, most: 9, last });
    return new Promise((resolve) => (end = resolve));
  });
  const measuring = tuning.start();
  expect([tuning.isRunning, tuning.step?.done, tuning.outcome]).toEqual([true, 1, null]);
  await tuning.start();
  expect(tuning.isRunning).toBe(true);
  end(view);
  await measuring;
  expect([tuning.outcome, tuning.isRunning, tuning.failure]).toEqual([view, false, null]);
});

it('says what failed until it is begun again', async () => {
  let fails = true;
  const { tuning, stops } = setup(() =>
    fails ? Promise.reject({ kind: 'usage', message: 'no room', mend: null }) : Promise.resolve(view),
  );
  await tuning.start();
  expect([tuning.outcome, tuning.failure?.message]).toEqual([null, 'no room']);
  fails = false;
  await tuning.start();
  expect([tuning.outcome, tuning.failure]).toEqual([view, null]);
  await tuning.stop();
  expect(stops()).toBe(1);
});
