import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import { checkKinds, usualKinds } from '../package/bundle.mjs';
import { requirementsIn } from '../package/requirements.mjs';
import { cratesOf, noticesOf, npmPackagesOf } from '../package/third-party.mjs';
import { ROOT } from '../setup/shell.mjs';

const read = (...path) => readFileSync(join(ROOT, ...path), 'utf8');
const app = JSON.parse(read('tauri.conf.json'));
const { bundle } = JSON.parse(read('packaging', 'bundle.json'));
const METAINFO = read('packaging', 'linux', 'app.rummage.desktop.metainfo.xml');
const VERSION = /^version = "([\d.]+)"$/m.exec(read('Cargo.toml'))[1];

/** A folder with these files, gone when the test ends. */
function folderWith(t, files) {
  const folder = mkdtempSync(join(tmpdir(), 'package-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

test('every file that the packages take from the checkout is there', () => {
  const { deb, rpm, appimage } = bundle.linux;
  const named = [
    ...app.bundle.icon, app.bundle.licenseFile, ...Object.keys(bundle.resources), bundle.macOS.entitlements,
    ...[deb, rpm, appimage].flatMap(({ desktopTemplate, files }) => [desktopTemplate, ...Object.values(files)]),
  ];
  const ofCheckout = named.filter((path) => path && !path.startsWith('target/package/'));
  assert.ok(ofCheckout.length > 15, `${ofCheckout}`);
  assert.deepEqual(ofCheckout.filter((path) => !existsSync(join(ROOT, path))), []);
});

test('what the shops of programs show is what the package says', () => {
  assert.equal(/<release version="([^"]+)"/.exec(METAINFO)[1], VERSION);
  assert.equal(/<id>(.+)<\/id>/.exec(METAINFO)[1], app.identifier);
  assert.equal(/<summary>(.+)<\/summary>/.exec(METAINFO)[1], app.bundle.shortDescription);
  assert.equal(/<launchable type="desktop-id">(.+)<\/launchable>/.exec(METAINFO)[1], `${app.productName}.desktop`);
  assert.equal(JSON.parse(read('package.json')).version, VERSION);
});

test('the release workflow asks for kinds that are made on its systems', () => {
  const jobs = [...read('.github', 'workflows', 'release.yml').matchAll(/\{ os: (\w+)-[\w.-]+, kinds: ([\w ]+) \}/g)];
  const platforms = { ubuntu: 'linux', macos: 'darwin', windows: 'win32' };
  for (const [, os, kinds] of jobs) checkKinds(kinds.trim().split(' '), platforms[os]);
  assert.deepEqual([...new Set(jobs.map(([, os]) => os))].sort(), Object.keys(platforms).sort());
});

test('each system has its packages, and a kind of another one is refused with what there is', () => {
  assert.deepEqual(usualKinds('linux'), ['deb', 'rpm']);
  assert.deepEqual(usualKinds('darwin'), ['dmg']);
  assert.deepEqual(usualKinds('win32'), ['nsis']);
  checkKinds(['appimage', 'deb'], 'linux');
  assert.throws(() => checkKinds(['nsis'], 'linux'), { message: /nsis/, mend: /appimage/ });
  assert.throws(() => checkKinds(['zip'], 'darwin'), { mend: /dmg/ });
});

test('a program requires its libraries and the versions of their symbols', () => {
  const text = [
    'Dynamic Section:', '  NEEDED               libgtk-3.so.0', '  NEEDED               libc.so.6',
    '  INIT                 0x000000000000b000', '', 'Version References:', '  required from libc.so.6:',
    '    0x0d696913 0x00 19 GLIBC_2.3', '    0x069691b4 0x00 02 GLIBC_2.34', '  required from ld-linux-x86-64.so.2:',
    '    0x0d696913 0x00 06 GLIBC_2.3', '',
  ].join('\n');
  assert.deepEqual(requirementsIn(text), [
    'libgtk-3.so.0()(64bit)', 'libc.so.6()(64bit)', 'libc.so.6(GLIBC_2.3)(64bit)', 'libc.so.6(GLIBC_2.34)(64bit)',
    'ld-linux-x86-64.so.2(GLIBC_2.3)(64bit)',
  ]);
  assert.deepEqual(requirementsIn(''), []);
});

test('the crates named are those that the programs need to run', () => {
  const crate = (name, source = 'registry') => (
    { id: name, name, version: '1.0.0', license: 'MIT', manifest_path: join('/crates', name, 'Cargo.toml'), source }
  );
  const needs = (id, ...deps) => ({ id, deps: deps.map(([pkg, ...kinds]) => ({ pkg, dep_kinds: kinds.map((kind) => ({ kind })) })) });
  const metadata = {
    packages: [crate('rummage-worker', null), crate('own', null), crate('used'), crate('deep'), crate('builds'), crate('tests')],
    resolve: { nodes: [
      needs('rummage-worker', ['own', null], ['builds', 'build'], ['tests', 'dev']),
      needs('own', ['used', 'dev', null]), needs('used', ['deep', null]), needs('deep', ['used', null]),
      needs('builds'), needs('tests'),
    ] },
  };
  assert.deepEqual(cratesOf(JSON.stringify(metadata)).map(({ name, dir }) => [name, dir]), [
    ['used', join('/crates', 'used')], ['deep', join('/crates', 'deep')],
  ]);
});

test('the npm packages named are those in the page', (t) => {
  const root = folderWith(t, {
    'node_modules/svelte/package.json': '{"name": "svelte", "version": "5.0.0", "license": "MIT"}',
    'node_modules/@tauri-apps/api/package.json': '{"name": "@tauri-apps/api", "version": "2.0.0", "license": "MIT"}',
    'node_modules/vite/package.json': '{"name": "vite", "version": "8.0.0", "license": "MIT"}',
    'page/assets/index.js.map': JSON.stringify({ sources: [
      '../../node_modules/svelte/src/a.js', '../../node_modules/svelte/src/b.js', '../../ui/src/main.ts',
      '../../node_modules/@tauri-apps/api/core.js', '../../node_modules/no-such/helper.js',
    ] }),
    'page/assets/index.js': '',
  });
  assert.deepEqual(npmPackagesOf(join(root, 'page')).map(({ name }) => name), ['svelte', '@tauri-apps/api']);
});

test('a notice stands once, with all that it came with', (t) => {
  const root = folderWith(t, {
    'a/LICENSE-MIT': 'Copyright A\r\n\r\n  Do what you like.\n', 'b/license.md': 'Copyright A\n\nDo what you like.',
    'b/NOTICE': 'B was here.', 'b/src.rs': 'not a notice', 'c/readme.md': 'none',
  });
  const page = noticesOf(['c', 'b', 'a'].map((name) => ({ name, version: '1.0.0', license: 'MIT', dir: join(root, name) })));
  assert.match(page, /a 1\.0\.0: MIT\nb 1\.0\.0: MIT\nc 1\.0\.0: MIT/);
  assert.match(page, /a 1\.0\.0, b 1\.0\.0\n\nCopyright A/);
  assert.equal(page.match(/Do what you like/g).length, 1);
  assert.match(page, /b 1\.0\.0\n\nB was here\./);
  assert.doesNotMatch(page, /not a notice/);
});
