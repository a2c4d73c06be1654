import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { assetsOf } from '../setup/assets.mjs';
import { isInstalled } from '../setup/npm-packages.mjs';
import { hashOfSource } from '../setup/page.mjs';
import { ROOT } from '../setup/shell.mjs';
import { installAdvice } from '../setup/system-packages.mjs';
import { isOlder } from '../setup/toolchain.mjs';

function folder(t) {
  const path = mkdtempSync(join(tmpdir(), 'setup-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('versions are compared as numbers', () => {
  assert.equal(isOlder('1.95.0', '1.95'), false);
  assert.equal(isOlder('1.94.9', '1.95'), true);
  assert.equal(isOlder('20.9.0', '20.19'), true);
  assert.equal(isOlder('22.0.0', '20.19'), false);
  assert.equal(isOlder('20', '20.19'), true);
});

test('every platform that is pinned gets ONNX Runtime and a model, each file with a hash', () => {
  for (const platform of ['linux-x64', 'linux-arm64', 'darwin-arm64', 'win32-x64', 'win32-arm64']) {
    const assets = assetsOf(join(ROOT, 'assets'), platform);
    assert.ok(assets.length >= 2);
    for (const { source, files } of assets) {
      assert.match(source.sha256, /^[0-9a-f]{64}$/);
      for (const file of files) {
        assert.match(file.sha256, /^[0-9a-f]{64}$/);
        assert.match(file.member, /^package\/[\w./-]+$/);
        assert.ok(file.bytes > 0);
      }
    }
  }
  assert.throws(() => assetsOf(join(ROOT, 'assets'), 'plan9-mips'), /no pinned library for plan9-mips/);
});

test('node_modules is installed only when it is what the lock file says', (t) => {
  const root = folder(t);
  const lock = { '': {}, 'node_modules/a': { version: '1' }, 'node_modules/mac': { version: '1', optional: true } };
  const check = (present, expected) => {
    mkdirSync(join(root, 'node_modules'), { recursive: true });
    writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages: lock }));
    writeFileSync(join(root, 'node_modules', '.package-lock.json'), JSON.stringify({ packages: present }));
    assert.equal(isInstalled(root), expected);
  };
  assert.equal(isInstalled(root), false);
  check({ 'node_modules/a': { version: '1' } }, true);
  check({ 'node_modules/a': { version: '2' } }, false);
  check({}, false);
  check({ 'node_modules/a': { version: '1' }, 'node_modules/left-over': { version: '1' } }, false);
});

test("the page's source is its names and contents, without what is built from it", (t) => {
  const root = folder(t);
  writeFileSync(join(root, 'a'), 'one');
  const before = hashOfSource(root, []);
  mkdirSync(join(root, 'dist'));
  writeFileSync(join(root, 'dist', 'index.html'), 'built');
  assert.equal(hashOfSource(root, []), before);
  writeFileSync(join(root, 'b'), '');
  const withB = hashOfSource(root, []);
  assert.notEqual(withB, before);
  rmSync(join(root, 'b'));
  assert.equal(hashOfSource(root, []), before);
  writeFileSync(join(root, 'a'), 'two');
  assert.notEqual(hashOfSource(root, []), before);
});

test('the line to type is for the package program that is there', () => {
  const needs = [{ title: 'protoc', packages: { apt: 'protobuf-compiler', dnf: 'protobuf-compiler', pacman: 'protobuf', zypper: 'protobuf-devel' } }];
  const advice = (there) => installAdvice([...needs, ...needs], (name) => name === there);
  assert.equal(advice('apt-get'), 'Type: sudo apt-get update && sudo apt-get install protobuf-compiler');
  assert.equal(advice('pacman'), 'Type: sudo pacman -S --needed protobuf');
  assert.match(advice('none'), /by your system's own means: protoc/);
});
