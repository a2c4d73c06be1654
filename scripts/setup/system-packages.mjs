// What the operating system's own packages provide: a C compiler, the web view,
// protoc; for the tests a display, a browser and their tools. Installs where it
// may (apt as root or with a sudo that asks nothing), else says what to type.

import { existsSync } from 'node:fs';

import { ask, onPath, run, SetUpError } from './shell.mjs';

const program = (name) => () => onPath(name);
const library = (name) => () => ask('pkg-config', ['--exists', name]) !== null;
const introspected = (module) => () =>
  ask('/usr/bin/python3', ['-c', `import gi; gi.require_version("${module}", "3.0")`]) !== null;

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome'];

/** What Linux must have, how to see that it is there, and what each family of distributions calls it. */
const LINUX = [
  need('a C compiler', () => onPath('cc') && onPath('c++') && onPath('make'), {
    apt: 'build-essential', dnf: 'gcc gcc-c++ make', pacman: 'base-devel', zypper: 'gcc gcc-c++ make',
  }),
  need('pkg-config', program('pkg-config'), {
    apt: 'pkg-config', dnf: 'pkgconf-pkg-config', pacman: 'pkgconf', zypper: 'pkgconf-pkg-config',
  }),
  need('WebKitGTK 4.1', library('webkit2gtk-4.1'), {
    apt: 'libwebkit2gtk-4.1-dev',
    dnf: 'webkit2gtk4.1-devel',
    pacman: 'webkit2gtk-4.1',
    zypper: 'webkit2gtk3-devel',
  }),
  need('protoc', program('protoc'), {
    apt: 'protobuf-compiler', dnf: 'protobuf-compiler', pacman: 'protobuf', zypper: 'protobuf-devel',
  }),
  // protoc's own definitions lie in another package, which apt only recommends.
  need("protoc's standard definitions", hasProtobufDefinitions, { apt: 'libprotobuf-dev', dnf: 'protobuf-devel', pacman: 'protobuf', zypper: 'protobuf-devel' }),
];

const LINUX_TESTS = [
  need('Xvfb', program('Xvfb'), {
    apt: 'xvfb', dnf: 'xorg-x11-server-Xvfb', pacman: 'xorg-server-xvfb', zypper: 'xorg-x11-server-Xvfb',
  }),
  need('WebKitWebDriver', program('WebKitWebDriver'), {
    apt: 'webkit2gtk-driver', dnf: 'webkit2gtk4.1-devel', pacman: 'webkit2gtk-4.1', zypper: 'webkit2gtk3-devel',
  }),
  need('openbox', program('openbox'), same('openbox')),
  need('xdotool', program('xdotool'), same('xdotool')),
  need('xprop and xwininfo', () => onPath('xprop') && onPath('xwininfo'), {
    apt: 'x11-utils', dnf: 'xprop xwininfo', pacman: 'xorg-xprop xorg-xwininfo', zypper: 'xprop xwininfo',
  }),
  need('dbus-daemon', program('dbus-daemon'), {
    apt: 'dbus', dnf: 'dbus-daemon', pacman: 'dbus', zypper: 'dbus-1',
  }),
  need('GTK 3 for Python', introspected('Gtk'), {
    apt: 'python3-gi gir1.2-gtk-3.0',
    dnf: 'python3-gobject gtk3',
    pacman: 'python-gobject gtk3',
    zypper: 'python3-gobject-Gdk typelib-1_0-Gtk-3_0',
  }),
  need('ImageMagick', program('import'), {
    apt: 'imagemagick', dnf: 'ImageMagick', pacman: 'imagemagick', zypper: 'ImageMagick',
  }),
  need('Tesseract', program('tesseract'), {
    apt: 'tesseract-ocr', dnf: 'tesseract', pacman: 'tesseract tesseract-data-eng', zypper: 'tesseract-ocr',
  }),
  need('Chromium', () => Boolean(process.env.CHROMIUM) || BROWSERS.some(onPath), same('chromium')),
];

function hasProtobufDefinitions() {
  const folders = ['/usr/include', '/usr/local/include'];
  return folders.some((folder) => existsSync(`${folder}/google/protobuf/timestamp.proto`));
}

function need(title, isThere, packages) {
  return { title, isThere, packages };
}

function same(name) {
  return { apt: name, dnf: name, pacman: name, zypper: name };
}

/** Installs what is missing, or fails with the line to type. */
export async function installSystemPackages(report, { forTests }) {
  if (process.platform === 'darwin') return checkMac();
  if (process.platform === 'win32') return checkWindows();
  const wanted = forTests ? [...LINUX, ...LINUX_TESTS] : LINUX;
  const missing = wanted.filter((one) => !one.isThere());
  if (missing.length === 0) return;

  const titles = missing.map((one) => one.title).join(', ');
  const administrator = onPath('apt-get') ? rootCommand() : null;
  if (!administrator) throw new SetUpError(`Missing: ${titles}.`, installAdvice(missing));

  report(`installing ${titles}`);
  const [name, ...args] = [...administrator, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get'];
  // A list that cannot be renewed may still do: what counts is what gets installed.
  await run(name, [...args, 'update', '-qq']);
  const code = await run(name, [
    ...args, 'install', '-y', '-qq', '--no-install-recommends', ...packagesOf(missing, 'apt'),
  ]);
  const still = missing.filter((one) => !one.isThere());
  if (code !== 0 || still.length > 0) {
    throw new SetUpError(
      `apt-get could not install ${still.map((one) => one.title).join(', ') || titles}.`,
      installAdvice(missing),
    );
  }
}

/** What goes before a command that only root may run: nothing for root, sudo if it asks nothing, else null. */
function rootCommand() {
  if (process.getuid() === 0) return [];
  return ask('sudo', ['-n', 'true']) === null ? null : ['sudo', '-n'];
}

function packagesOf(needs, family) {
  return [...new Set(needs.flatMap((one) => one.packages[family].split(' ')))];
}

/** The line to type, by the package program that this machine has. */
export function installAdvice(needs, has = onPath) {
  const lines = [
    ['apt-get', 'apt', 'sudo apt-get update && sudo apt-get install'],
    ['dnf', 'dnf', 'sudo dnf install'],
    ['pacman', 'pacman', 'sudo pacman -S --needed'],
    ['zypper', 'zypper', 'sudo zypper install'],
  ];
  const found = lines.find(([name]) => has(name));
  if (!found) return `Install by your system's own means: ${needs.map((one) => one.title).join(', ')}.`;
  const [, family, command] = found;
  return `Type: ${command} ${packagesOf(needs, family).join(' ')}`;
}

function checkMac() {
  if (ask('xcode-select', ['-p']) === null) {
    throw new SetUpError('Missing: a C compiler.', 'Type: xcode-select --install');
  }
  if (!onPath('protoc')) throw new SetUpError('Missing: protoc.', 'Type: brew install protobuf');
}

function checkWindows() {
  if (!onPath('protoc')) {
    throw new SetUpError('Missing: protoc.', 'Type: winget install Google.Protobuf, then open a new terminal.');
  }
}
