// Builds the window with its backend of sample data, serves it under the app's
// own content security policy and opens it in Chromium. Knows no single test.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { after, before, test } from 'node:test';
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

/** Everything that tests and pictures stand on. `close` gives all of it back. */
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

/** For a test file: the window is built before its tests and given back after them. */
export function windowTests() {
  let harness;
  before(async () => {
    harness = await start();
  });
  after(() => harness?.close());

  /** A test on one scene. Whatever the page complains of, the policy's refusals among it, fails it. */
  return function check(name, scene, steps, options) {
    test(name, async () => {
      const { page, errors, close } = await harness.open(scene, options);
      page.setDefaultTimeout(5000);
      try {
        await steps(page);
        assert.deepEqual(errors, []);
      } finally {
        await close();
      }
    });
  };
}

/** What reaches beyond the right edge of the window, by class. */
export function sticksOut(page) {
  return page.evaluate(() =>
    [...document.querySelectorAll('body *')]
      .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
      .filter((element) => !element.closest('.visually-hidden, .path'))
      .map((element) => element.className),
  );
}

/** What the keyboard can go into and whose hidden rest would then slide into sight, by class. */
export function slides(page) {
  return page.evaluate(() => {
    const { body, documentElement: root } = document;
    // What the body hides, the window itself does.
    const hides = (element) =>
      element === root || (element !== body && getComputedStyle(element).overflowY === 'hidden');
    return [...document.querySelectorAll('*')]
      .filter((element) => hides(element) && element.scrollHeight > element.clientHeight + 1)
      .filter((element) => element.querySelector('button, input, textarea, [tabindex]'))
      .map((element) => `${element.tagName} ${element.className}`);
  });
}

/** Words that are drawn over each other, in pairs. */
export function overlaps(page) {
  return page.evaluate(() => {
    const modal = document.querySelector('dialog[open]');
    const root = modal ?? document.body;
    const isLayer = (element) => /absolute|fixed|sticky/.test(getComputedStyle(element).position);
    /** What of a rectangle is left within all that cuts it off. */
    const visible = (rect, element) => {
      let { left, top, right, bottom } = rect;
      for (let above = element; above && above !== document.body; above = above.parentElement) {
        const { overflowX, overflowY, clipPath } = getComputedStyle(above);
        const own = above.getBoundingClientRect();
        if (clipPath !== 'none') return null;
        if (overflowX !== 'visible') [left, right] = [Math.max(left, own.left), Math.min(right, own.right)];
        if (overflowY !== 'visible') [top, bottom] = [Math.max(top, own.top), Math.min(bottom, own.bottom)];
      }
      return right - left > 1 && bottom - top > 1 ? { left, top, right, bottom } : null;
    };
    const words = [];
    const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const { currentNode: text } = texts;
      const { parentElement: element } = text;
      if (text.data.trim() === '' || !element.checkVisibility({ visibilityProperty: true })) continue;
      let layer = element;
      while (layer !== root && !isLayer(layer)) layer = layer.parentElement;
      const range = document.createRange();
      range.selectNodeContents(text);
      for (const rect of range.getClientRects()) {
        const seen = visible(rect, element);
        if (seen) words.push({ ...seen, text, layer, says: text.data.trim().slice(0, 30) });
      }
    }
    const found = [];
    for (const [at, a] of words.entries())
      for (const b of words.slice(at + 1)) {
        if (a.text === b.text || a.layer !== b.layer) continue;
        const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        // Lines may touch by their leading.
        if (across > 2 && down > 4) found.push(`${a.says} / ${b.says}`);
      }
    return found;
  });
}

export const calls = (page) =>
  page.evaluate(() => window.fake.calls.map((call) => call.slice(0, 2)));
export const push = (page, change) => page.evaluate((change) => window.fake.push(change), change);
/** A status in which every folder is in this state. */
export const scan = (page, state, change = {}) =>
  page.evaluate(
    ([state, change]) =>
      window.fake.push({
        roots: window.fake.status.roots.map((root) => ({ ...root, state })),
        ...change,
      }),
    [state, change],
  );
