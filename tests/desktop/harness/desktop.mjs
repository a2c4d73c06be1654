// A desktop for one test: a display without a screen, a window manager, a
// session bus and a home folder of its own. Knows nothing of Rummage.

import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { killGroup } from './processes.mjs';
import { until } from './until.mjs';

const BUS_CONF = fileURLToPath(new URL('bus.conf', import.meta.url));
const OWN_FOLDERS = {
  HOME: 'home',
  XDG_RUNTIME_DIR: 'run',
  XDG_CONFIG_HOME: 'config',
  XDG_DATA_HOME: 'data',
  XDG_CACHE_HOME: 'cache',
};
// What the person who runs the tests has set must not reach the program.
const FOREIGN = /^(WAYLAND_|DBUS_|XAUTHORITY$|XDG_|RUMMAGE_|NODE_|npm_)/;

export class Desktop {
  /** Opens a desktop that is gone when the test, or this process, ends. */
  static async open(t) {
    const desktop = new Desktop();
    t.after(() => desktop.close());
    await desktop.start();
    return desktop;
  }

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'rummage-desktop-'));
    this.children = [];
    this.closeOnExit = () => this.close();
    process.on('exit', this.closeOnExit);
    this.env = {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !FOREIGN.test(name))),
      GDK_BACKEND: 'x11',
      XDG_SESSION_TYPE: 'x11',
      LC_ALL: 'C.UTF-8',
      GTK_USE_PORTAL: '0',
      GSETTINGS_BACKEND: 'memory',
      NO_AT_BRIDGE: '1',
      LIBGL_ALWAYS_SOFTWARE: '1',
      // Rendering in software, a shared buffer costs memory and a slower first paint.
      WEBKIT_DISABLE_DMABUF_RENDERER: '1',
    };
    for (const [name, folder] of Object.entries(OWN_FOLDERS)) {
      this.env[name] = join(this.folder, folder);
      // The bus refuses a runtime folder that others may read.
      mkdirSync(this.env[name], { mode: 0o700 });
    }
  }

  async start() {
    const screen = ['-screen', '0', '1280x800x24', '-nolisten', 'tcp', '-noreset'];
    this.env.DISPLAY = `:${await this.firstLineFrom('Xvfb', ['-displayfd', '3', ...screen])}`;
    this.env.DBUS_SESSION_BUS_ADDRESS = await this.firstLineFrom('dbus-daemon', [
      `--config-file=${BUS_CONF}`, '--nofork', '--print-address=3',
    ]);
    this.spawn('openbox', []);
    await until('the window manager answers', () => (
      /window id # 0x/.test(this.run('xprop', ['-root', '_NET_SUPPORTING_WM_CHECK']))
    ));
  }

  /** Starts a program that ends with the desktop. */
  spawn(name, args, { env = {}, stdio = 'ignore' } = {}) {
    const child = spawn(name, args, { env: { ...this.env, ...env }, stdio, detached: true });
    child.on('error', (error) => { throw error; });
    this.children.push(child);
    return child;
  }

  /** What a program that ends by itself writes to stdout. */
  run(name, args) {
    return execFileSync(name, args, {
      env: this.env, encoding: 'utf8', timeout: 20_000, stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  /** The first line that a program writes to file descriptor 3, by which it says that it is ready. */
  firstLineFrom(name, args) {
    const child = this.spawn(name, args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
    return new Promise((resolve, reject) => {
      let text = '';
      child.stdio[3].on('data', (chunk) => {
        text += chunk;
        if (text.includes('\n')) resolve(text.split('\n')[0]);
      });
      child.on('exit', (code) => reject(new Error(`${name} ended with code ${code} before it was ready`)));
    });
  }

  /** A picture of the whole screen. */
  takePicture(path) {
    this.run('import', ['-window', 'root', path]);
  }

  close() {
    process.removeListener('exit', this.closeOnExit);
    // The last one started goes first: a program before the bus and the display that it hangs on.
    for (const child of this.children.splice(0).reverse()) killGroup(child);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 20 });
  }
}

// `node --test` ends a test file that takes too long with SIGTERM, which by
// itself would skip the `exit` listeners.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.once(signal, () => process.exit(1));
