// The .deb in a bare Debian: apt installs it, its desktop entry starts it, it works
// without a network, it writes to its own folders alone, and apt takes it away.
// CONTRIBUTING.md says how to run it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chownSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { program } from '../../scripts/setup/programs.mjs';
import { Desktop } from '../desktop/harness/desktop.mjs';
import { dropOnWindow, windowNamed } from '../desktop/harness/drag.mjs';
import { until } from '../desktop/harness/until.mjs';
import { CleanRoot, PERSON } from './clean-root.mjs';

const BUS_CONF = fileURLToPath(new URL('../desktop/harness/bus.conf', import.meta.url));
const FOLDER = `${PERSON.home}/notes`;
const NOTES = {
  'radiator.txt': 'The feline slept upon the warm radiator, and purred.\n',
  'bread.md': '# Sourdough\n\nFeed the starter in the evening and bake it the day after.\n',
};
const LIMIT_MB = 130;
/** Where the package's programs may write: the index, what the web view keeps, and what this test names. */
const OWN_FOLDERS = [
  `${PERSON.home}/.local/share/rummage/`, `${PERSON.home}/.local/share/app.rummage.desktop/`, '/run/user/', '/tmp/',
];

test('the package in a bare Debian', { timeout: 1_800_000 }, async (t) => {
  const deb = process.env.RUMMAGE_DEB ?? built();
  const megabytes = statSync(deb).size / 1e6;
  assert.ok(megabytes <= LIMIT_MB, `${megabytes.toFixed(1)} MB`);

  const root = CleanRoot.make(t);
  root.install(deb);
  const files = root.asRoot('dpkg', '-L', 'rummage').split('\n').filter((path) => path && statSync(root.path(path)).isFile());
  writeNotes(root);
  const started = root.path('/var/started');
  writeFileSync(started, '');

  await t.test('every library that its programs need is there', () => {
    // The command line is a line of shell: the window's program is both.
    const binaries = files.filter((path) => path.startsWith('/usr/bin/') || path.endsWith('.so'));
    const programs = binaries.filter((path) => path !== '/usr/bin/rummage');
    assert.deepEqual([binaries.length, programs.length], [4, 3], `${binaries}`);
    for (const path of programs) assert.doesNotMatch(root.asPerson('ldd', path), /not found/, path);
  });

  await t.test('the command line indexes and finds by meaning, without a network', () => {
    assert.equal(root.asPerson('cat', '/proc/net/route').trim().split('\n').length, 1, 'no route leads anywhere');
    const rummage = (...args) => JSON.parse(root.asPerson('rummage', '--data', '/tmp/by-command', '--json', ...args));
    assert.equal(rummage('index', FOLDER).files.indexed, 2);
    const [first] = rummage('search', '--mode', 'meaning', 'my cat likes to nap').results;
    assert.equal(first.path, join(FOLDER, 'radiator.txt'));
  });

  await t.test('its desktop entry opens the window, which indexes and finds', async (t) => {
    const desktop = await Desktop.open(t);
    const entry = files.find((path) => path.endsWith('.desktop'));
    execFileSync('desktop-file-validate', [root.path(entry)]);
    const [exec, icon] = ['Exec', 'Icon'].map((key) => valueOf(readFileSync(root.path(entry), 'utf8'), key));
    const icons = files.filter((path) => path.includes('/icons/hicolor/') && path.includes(`/${icon}.`));
    assert.ok(icons.length >= 4, `${icons}`);

    root.start(t, ...await sessionOf(root, desktop), exec);
    const window = await windowNamed(desktop, 'Rummage');
    await until('the window is painted', () => seen(desktop).includes('older'), { seconds: 60 });
    await dropOnWindow(desktop, 'Rummage', [FOLDER]);
    await until('both files are indexed', () => searchable(root) === 2, { seconds: 120 });
    desktop.run('xdotool', ['windowactivate', '--sync', window, 'type', 'my cat likes to nap']);
    await until('the answer is shown', () => seen(desktop).includes('feline slept'), { seconds: 60 });
  });

  await t.test('it has written to its own folders alone', () => {
    assert.deepEqual(root.changedSince(started, OWN_FOLDERS), []);
  });

  await t.test('apt takes it away, and leaves what it has indexed', () => {
    root.asRoot('apt-get', 'purge', '-qy', 'rummage');
    assert.deepEqual(files.filter((path) => existsSync(root.path(path))), []);
    assert.ok(existsSync(root.path(`${PERSON.home}/.local/share/rummage/catalog.sqlite`)));
  });
});

/** The package that `npm run package` has made. */
function built() {
  const folder = join(dirname(program('rummage-desktop', { release: true })), 'bundle', 'deb');
  const name = existsSync(folder) && readdirSync(folder).find((file) => file.endsWith('.deb'));
  assert.ok(name, `no package in ${folder}: run \`npm run package\`, or name one in RUMMAGE_DEB`);
  return join(folder, name);
}

function writeNotes(root) {
  mkdirSync(root.path(FOLDER));
  for (const [name, text] of Object.entries(NOTES)) writeFileSync(root.path(join(FOLDER, name)), text);
}

function valueOf(entry, key) {
  return new RegExp(`^${key}=(.+)$`, 'm').exec(entry)[1];
}

/** A session bus of the person's own on the desktop; the environment that a program finds it by. */
async function sessionOf(root, desktop) {
  const runtime = `/run/user/${PERSON.uid}`;
  mkdirSync(root.path(runtime), { recursive: true, mode: 0o700 });
  chownSync(root.path(runtime), PERSON.uid, PERSON.uid);
  // The checkout may lie where the person cannot look.
  copyFileSync(BUS_CONF, root.path('/tmp/bus.conf'));
  desktop.spawn('setpriv', [
    `--reuid=${PERSON.uid}`, `--regid=${PERSON.uid}`, '--clear-groups', 'dbus-daemon', '--nofork',
    `--config-file=${root.path('/tmp/bus.conf')}`, `--address=unix:path=${root.path(runtime)}/bus`,
  ]);
  await until('the bus is there', () => existsSync(root.path(`${runtime}/bus`)));
  return [
    `DISPLAY=${desktop.env.DISPLAY}`, 'LC_ALL=C.UTF-8', `XDG_RUNTIME_DIR=${runtime}`,
    `DBUS_SESSION_BUS_ADDRESS=unix:path=${runtime}/bus`,
  ];
}

/** The words on the screen. Nothing is installed beside the package that could tell them otherwise. */
function seen(desktop) {
  const picture = join(desktop.folder, 'screen.png');
  desktop.takePicture(picture);
  if (process.env.RUMMAGE_PICTURE) copyFileSync(picture, process.env.RUMMAGE_PICTURE);
  // Letters of a screen are small for a reader of scans.
  execFileSync('mogrify', ['-resize', '200%', picture]);
  return execFileSync('tesseract', [picture, '-'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

/** How many files the window's index finds by their meaning. */
function searchable(root) {
  try {
    return JSON.parse(root.asPerson('rummage', '--json', '--quiet', 'status')).coverage.meaning;
  } catch {
    return 0; // There is no index yet.
  }
}
