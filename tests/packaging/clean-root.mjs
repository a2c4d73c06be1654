// A bare Debian in a folder: what runs in it sees no file, process or network of
// this machine's. Needs root and mmdebstrap. Knows nothing of Rummage.

import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { killGroup } from '../desktop/harness/processes.mjs';

/** An ordinary user inside. */
export const PERSON = { name: 'person', uid: 1000, home: '/home/person' };

// Mounts of a namespace of its own end with it. The display's socket is all that
// is shared.
const ENTER = `
  mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && mount -t tmpfs tmpfs "$0/dev/shm" &&
  mkdir -p "$0/tmp/.X11-unix" /tmp/.X11-unix && mount --bind /tmp/.X11-unix "$0/tmp/.X11-unix" &&
  exec chroot --userspec="$1" "$0" /usr/bin/env -i HOME="$2" PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin "\${@:3}"
`;

export class CleanRoot {
  /**
   * Unpacks Debian's base system, and nothing more; it is gone when the test ends.
   * `RUMMAGE_CLEAN_ROOT` may name a tar file of one, which takes less time.
   */
  static make(t, suite = 'bookworm') {
    const root = new CleanRoot(mkdtempSync(join(tmpdir(), 'rummage-root-')));
    t.after(() => rmSync(root.folder, { recursive: true, force: true }));
    const tar = process.env.RUMMAGE_CLEAN_ROOT;
    if (tar) execFileSync('tar', ['-xf', tar, '-C', root.folder]);
    else execFileSync('mmdebstrap', ['--variant=minbase', suite, root.folder], { stdio: 'inherit' });
    // A temporary folder is its owner's alone.
    chmodSync(root.folder, 0o755);
    copyFileSync('/etc/resolv.conf', join(root.folder, 'etc', 'resolv.conf'));
    root.asRoot('useradd', '--create-home', '--uid', `${PERSON.uid}`, PERSON.name);
    return root;
  }

  constructor(folder) {
    this.folder = folder;
  }

  /** A path inside, as this machine sees it. */
  path(inside) {
    return join(this.folder, inside);
  }

  /** Installs a package file and what it depends on, and nothing that it only recommends. */
  install(deb) {
    copyFileSync(deb, this.path(`/tmp/${basename(deb)}`));
    this.asRoot('apt-get', 'update', '-q');
    this.asRoot('env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', 'install', '-qy', '--no-install-recommends', `/tmp/${basename(deb)}`);
    this.asRoot('apt-get', 'clean');
  }

  /** Runs a program as root with this machine's network; what it writes to stdout. */
  asRoot(...command) {
    return execFileSync('unshare', this.#entering([], '0:0', '/root', command), { encoding: 'utf8' });
  }

  /** Runs a program as the person, without any network; what it writes to stdout. */
  asPerson(...command) {
    return execFileSync('unshare', this.#offline(command), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  }

  /** Starts a program as the person, without any network; it ends with the test. */
  start(t, ...command) {
    const child = spawn('unshare', this.#offline(command), { detached: true, stdio: ['ignore', 'inherit', 'inherit'] });
    t.after(() => killGroup(child));
    return child;
  }

  /** What has been written since a file was, but for what lies in these folders. */
  changedSince(file, folders) {
    const found = execFileSync('find', [this.folder, '-xdev', '-newer', file, '-not', '-type', 'd'], { encoding: 'utf8' });
    return found.split('\n').filter(Boolean).map((path) => path.slice(this.folder.length))
      .filter((path) => !folders.some((folder) => path.startsWith(folder)));
  }

  #offline(command) {
    return this.#entering(['--net'], `${PERSON.uid}:${PERSON.uid}`, PERSON.home, command);
  }

  #entering(options, user, home, command) {
    return [
      '--mount', '--pid', '--fork', '--kill-child', ...options,
      'bash', '-euc', ENTER, this.folder, user, home, ...command,
    ];
  }
}
