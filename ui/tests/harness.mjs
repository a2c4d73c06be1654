// Builds the window with its backend of sample data, serves it under the app's
// own content security policy and opens it in Chromium. Knows no single test.
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { build } from 'vite';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** The policy of the desktop shell: what passes here passes there. */
async function contentSecurityPolicy() {
  const conf = JSON.parse(await readFile(join(ROOT, 'tauri.conf.json'), 'utf8'));
  const policy = conf.app?.security?.csp;
  if (typeof policy !== 'string') throw new Error('tauri.conf.json: app.security.csp is no string');
  return policy;
}

function browserPath() {
  const places = [
    process.env.CHROMIUM,
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/opt/google/chrome/chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ];
  const found = places.find((place) => place && existsSync(place));
  if (!found)
    throw new Error('No Chromium found. Install it, or name its program in the variable CHROMIUM.');
  return found;
}

async function serve(folder, policy) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    if (pathname === '/favicon.ico') return response.writeHead(204).end();
    try {
      const name = pathname === '/' ? 'index.html' : pathname.slice(1);
      const body = await readFile(join(folder, name));
      const type = TYPES[extname(name)] ?? 'application/octet-stream';
      response
        .writeHead(200, { 'content-type': type, 'content-security-policy': policy })
        .end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** Builds the window into a folder of its own. The caller removes it. */
export async function buildWindow(mode) {
  const outDir = await mkdtemp(join(tmpdir(), 'rummage-ui-'));
  const configFile = join(ROOT, 'ui/vite.config.ts');
  await build({ configFile, mode, logLevel: 'warn', build: { outDir } });
  return outDir;
}

/** Everything the tests stand on. `close` gives all of it back. */
export async function start() {
  const executablePath = browserPath();
  const policy = await contentSecurityPolicy();
  const folder = await buildWindow('fake');
  const server = await serve(folder, policy);
  // The sandbox cannot be had as root, which is what tests in a container run as.
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });

  /** Opens the window on a scene of the sample data; `errors` gathers what the page complains of. */
  async function open(
    scene,
    { width = 1100, height = 760, colorScheme = 'light', ...context } = {},
  ) {
    const own = await browser.newContext({ viewport: { width, height }, colorScheme, ...context });
    const page = await own.newPage();
    const errors = [];
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    // The desktop shell freezes it; code that relies on changing it would break there.
    await page.addInitScript(() => Object.freeze(Object.prototype));
    await page.goto(`http://127.0.0.1:${server.address().port}/?scene=${scene}`);
    await page.waitForSelector('body[data-ready], [role=alert]');
    return { page, errors, close: () => own.close() };
  }

  async function close() {
    await browser.close();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
  }

  return { open, close };
}
