import { expect, it } from 'vitest';
import type { Backend, FetchStep, ModelView } from '../backend';
import { IMPORT, ModelsState } from './models.svelte';

const model = (id: string, state: ModelView['state'] = 'installed') => ({ id, state }) as ModelView;

function setup(change: Partial<Backend>) {
  const lists = { now: [model('a'), model('b', 'known')] };
  const backend = { models: async () => lists.now, ...change } as Backend;
  return { models: new ModelsState(backend), lists };
}

it('tells how far a fetch is, and what came', async () => {
  let tell: (step: FetchStep) => void = () => undefined;
  let end: () => void = () => undefined;
  const asked: string[] = [];
  const { models, lists } = setup({
    fetchModel: (id, told) => {
      asked.push(id);
      tell = told;
      return new Promise((resolve) => (end = resolve));
    },
  });
  const fetching = models.fetch('b');
  expect(models.fetching).toEqual({ id: 'b', step: null });
  tell({ id: 'b', done: 1, total: 4 });
  expect(models.fetching?.step?.done).toBe(1);
  await models.fetch('c');
  expect(asked).toEqual(['b']);
  lists.now = [model('a'), model('b')];
  end();
  await fetching;
  expect([models.fetching, models.came, models.list]).toEqual([null, 'b', lists.now]);
});

it('has nothing that came where a fetch was stopped', async () => {
  const { models } = setup({ fetchModel: async () => undefined });
  await models.fetch('b');
  expect([models.came, models.failure, models.fetching]).toEqual([null, null, null]);
});

it('says what failed beside what it is about, until something else is asked for', async () => {
  let imported: string | null = null;
  const { models } = setup({
    useModel: () => Promise.reject({ kind: 'busy', message: 'busy', mend: null }),
    importModel: async () => imported,
  });
  await models.use('a');
  expect([models.failure?.about, models.failure?.error.message]).toEqual(['a', 'busy']);
  await models.import();
  expect([models.failure, models.came, models.isImporting]).toEqual([null, null, false]);
  imported = 'mine';
  await models.import();
  expect(models.came).toBe('mine');
});

it('says whether a model is gone', async () => {
  let refused = true;
  const { models, lists } = setup({
    removeModel: () =>
      refused ? Promise.reject({ kind: 'usage', message: 'in use', mend: null }) : Promise.resolve(),
  });
  expect(await models.remove('b')).toBe(false);
  expect([models.failure?.about, models.failure?.error.message]).toEqual(['b', 'in use']);
  refused = false;
  lists.now = [model('a')];
  expect(await models.remove('b')).toBe(true);
  expect([models.failure, models.list]).toEqual([null, lists.now]);
});

it('can be asked again after an import that failed', async () => {
  const { models } = setup({ importModel: () => Promise.reject(new Error('no ONNX file')) });
  await models.import();
  expect([models.failure?.about, models.isImporting]).toEqual([IMPORT, false]);
});
