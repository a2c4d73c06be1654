// What others made that goes into the programs, and the notices they ask for.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const PROGRAMS = ['rummage-desktop', 'rummage-cli', 'rummage-worker'];
const NOTICE = /^(licen[cs]e|copying|copyright|notice|unlicense)/i;

const INTRODUCTION = `Rummage stands on the work of many others. This page names the Rust crates and npm
packages that its programs are built from, each with its licence, and then every
notice that came with them. Each is used unchanged; its source is what the registry
of its language holds under that name and version. ONNX Runtime and the model have
their licences beside them, in the folder assets.`;

/**
 * The crates that the programs are built from, by cargo's metadata: whatever they
 * need to run, and not what only builds or tests them.
 */
export function cratesOf(metadata) {
  const { packages, resolve: { nodes } } = JSON.parse(metadata);
  const node = new Map(nodes.map((one) => [one.id, one]));
  const found = new Set(packages.filter(({ name, source }) => !source && PROGRAMS.includes(name)).map(({ id }) => id));
  for (const id of found) {
    for (const { pkg, dep_kinds: kinds } of node.get(id).deps) {
      if (kinds.some(({ kind }) => kind === null)) found.add(pkg);
    }
  }
  return packages
    .filter(({ id, source }) => source && found.has(id))
    .map(({ name, version, license, license_file: file, manifest_path: path }) => (
      { name, version, license: license ?? `see ${file}`, dir: dirname(path) }
    ));
}

/** The npm packages in a page that was built with source maps. */
export function npmPackagesOf(page) {
  const assets = join(page, 'assets');
  const dirs = new Set();
  for (const name of readdirSync(assets).filter((file) => file.endsWith('.map'))) {
    for (const source of JSON.parse(readFileSync(join(assets, name), 'utf8')).sources) {
      const path = resolve(assets, source).replaceAll('\\', '/');
      const [dir] = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path) ?? [];
      // The bundler's own helpers have names that are no files.
      if (dir && existsSync(join(dir, 'package.json'))) dirs.add(dir);
    }
  }
  return [...dirs].map((dir) => {
    const { name, version, license } = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'));
    return { name, version, license, dir };
  });
}

/** One page: each part with its licence, then each notice once, with the parts that it came with. */
export function noticesOf(parts) {
  const sorted = parts.toSorted((a, b) => (`${a.name} ${a.version}` < `${b.name} ${b.version}` ? -1 : 1));
  const notices = new Map();
  for (const { name, version, dir } of sorted) {
    for (const text of noticesIn(dir)) {
      // Equal but for line ends and indents is equal.
      const key = text.replace(/\s+/g, ' ');
      if (!notices.has(key)) notices.set(key, { text, parts: [] });
      notices.get(key).parts.push(`${name} ${version}`);
    }
  }
  const list = sorted.map(({ name, version, license }) => `${name} ${version}: ${license}`);
  const texts = [...notices.values()].map((notice) => `${notice.parts.join(', ')}\n\n${notice.text}`);
  return `${[INTRODUCTION, list.join('\n'), ...texts].join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}

function noticesIn(dir) {
  return readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isFile() && NOTICE.test(entry.name))
    .map(({ name }) => readFileSync(join(dir, name), 'utf8').replaceAll('\r\n', '\n').trim())
    .filter(Boolean);
}
