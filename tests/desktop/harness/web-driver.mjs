// A WebDriver client for one window: finds things by role and name, as a
// person with a screen reader does. Knows no page.

import { createServer } from 'node:net';

import { until } from './until.mjs';

const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';
const SESSION_MS = 60_000;
const CALL_MS = 30_000;

/** Which elements may bear a role; what they bear in truth, the browser computes. */
const CANDIDATES = {
  button: 'button, [role=button], summary',
  checkbox: 'input[type=checkbox], [role=checkbox]',
  dialog: 'dialog, [role=dialog]',
  listbox: '[role=listbox]',
  menuitemradio: '[role=menuitemradio]',
  progressbar: 'progress, [role=progressbar]',
  radio: 'input[type=radio], [role=radio]',
  region: 'section, [role=region]',
  searchbox: 'input[type=search], [role=searchbox]',
  slider: 'input[type=range], [role=slider]',
  // WebKit takes a number field for a text field.
  textbox: 'input[type=number], input[type=text], textarea, [role=textbox]',
};

const KEYS = {
  Alt: '\uE00A',
  ArrowDown: '\uE015',
  ArrowUp: '\uE013',
  Control: '\uE009',
  Enter: '\uE007',
  Escape: '\uE00C',
  F4: '\uE034',
  Shift: '\uE008',
  Tab: '\uE004',
};

/** Starts a program under WebKitWebDriver; the window is the one that it opens. */
export async function openWindow(desktop, program, { env = {}, args = [] } = {}) {
  const port = await freePort();
  const driver = desktop.spawn('WebKitWebDriver', [`--port=${port}`, '--host=127.0.0.1'], {
    // Asks the Tauri window to let itself be driven.
    env: { TAURI_WEBVIEW_AUTOMATION: 'true', ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const base = `http://127.0.0.1:${port}`;
  await until('WebKitWebDriver answers', () => call('GET', `${base}/status`).then(() => true, () => false));
  const { sessionId } = await call('POST', `${base}/session`, {
    capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': { binary: program, args } } },
  }, SESSION_MS); // It never answers for a program that ends at once.
  return new Window(driver, `${base}/session/${sessionId}`);
}

class Window {
  constructor(driver, url) {
    this.driver = driver;
    this.url = url;
  }

  /** The element with a role and an accessible name (text, or a pattern); waits until there is one. */
  async find(role, name, { seconds } = {}) {
    return until(`there is a ${role} "${name ?? ''}"`, async () => (await this.all(role, name))[0], { seconds });
  }

  async all(role, name) {
    const found = await this.select(CANDIDATES[role]);
    const fits = await Promise.all(found.map((element) => element.is(role, name)));
    return found.filter((_, index) => fits[index]);
  }

  /** All elements that a CSS selector takes, below another if given. */
  async select(css, below = this) {
    const found = await call('POST', `${below.url}/elements`, { using: 'css selector', value: css });
    return found.map((reference) => new Element(this, reference[ELEMENT]));
  }

  /** Presses keys together, to wherever the focus is. */
  async press(...keys) {
    const values = keys.map((key) => KEYS[key] ?? key);
    const actions = [
      ...values.map((value) => ({ type: 'keyDown', value })),
      ...values.toReversed().map((value) => ({ type: 'keyUp', value })),
    ];
    await call('POST', `${this.url}/actions`, { actions: [{ type: 'key', id: 'keyboard', actions }] });
  }

  evaluate(script, ...args) {
    return call('POST', `${this.url}/execute/sync`, { script, args });
  }

  async close() {
    await call('DELETE', this.url, undefined, 5_000).catch(() => {}); // The program may be gone already.
  }
}

class Element {
  constructor(window, id) {
    this.window = window;
    this.url = `${window.url}/element/${id}`;
  }

  async is(role, name) {
    // An element that the page has just replaced fits nothing.
    const computed = (what) => call('GET', `${this.url}/computed${what}`).catch(() => null);
    if (role !== (await computed('role'))) return false;
    if (name === undefined) return true;
    const label = await computed('label');
    return name instanceof RegExp ? name.test(label) : name === label;
  }

  /** As the page shows it. (The driver's own text leaves out what an ellipsis might cut.) */
  text() {
    return this.property('innerText');
  }

  /** By which a person who listens knows it. */
  label() {
    return call('GET', `${this.url}/computedlabel`);
  }

  attribute(name) {
    return call('GET', `${this.url}/attribute/${name}`);
  }

  property(name) {
    return call('GET', `${this.url}/property/${name}`);
  }

  click() {
    return call('POST', `${this.url}/click`, {});
  }

  clear() {
    return call('POST', `${this.url}/clear`, {});
  }

  type(text) {
    return call('POST', `${this.url}/value`, { text });
  }
}

async function call(method, url, body, milliseconds = CALL_MS) {
  const response = await fetch(url, {
    method,
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(milliseconds),
  });
  const { value } = await response.json();
  if (value?.error) throw new Error(`${value.error}: ${value.message}`);
  return value;
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
