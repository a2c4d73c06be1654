// What a key press asks for. Pure: the window acts on it elsewhere.
import { isMac } from './strings';

export type Action =
  | 'focus'
  | 'settings'
  | 'up'
  | 'down'
  | 'pageUp'
  | 'pageDown'
  | 'unfold'
  | 'fold'
  | 'open'
  | 'reveal'
  | 'preview'
  | 'copy'
  | 'good'
  | 'clear';

/** As much of a `KeyboardEvent` as matters here. */
export interface Press {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
  isComposing: boolean;
}

/** Keys that work anywhere in the window; `typing` when a field would take the letter. */
export function windowAction(press: Press, typing: boolean): Action | null {
  const command = (press.ctrlKey || press.metaKey) && !press.altKey && !press.shiftKey;
  if (command && press.key.toLowerCase() === 'k') return 'focus';
  if (command && press.key === ',') return 'settings';
  if (press.key === '/' && !typing && !press.ctrlKey && !press.metaKey && !press.altKey)
    return 'focus';
  return null;
}

const PLAIN: Record<string, Action> = {
  ArrowUp: 'up',
  ArrowDown: 'down',
  PageUp: 'pageUp',
  PageDown: 'pageDown',
  Enter: 'open',
  Escape: 'clear',
};

/** As they open and close a list of choices. */
const WITH_ALT: Record<string, Action> = { ArrowDown: 'unfold', ArrowUp: 'fold' };

/**
 * Keys that work in the search box and in the results. `browsing`: no space is being
 * typed, for the list has the focus or the selection was moved last. `marked`: some
 * text is, which is what Ctrl+C is then for.
 */
export function searchAction(
  press: Press,
  { browsing, marked }: { browsing: boolean; marked: boolean },
): Action | null {
  // Enter and the arrows belong to the input method while it composes a word.
  if (press.isComposing || press.shiftKey) return null;
  if (press.altKey) return press.ctrlKey || press.metaKey ? null : lookUp(WITH_ALT, press.key);
  if (press.ctrlKey || press.metaKey) {
    if (press.key.toLowerCase() === 'c') return marked ? null : 'copy';
    // There, Ctrl+D deletes a letter in every text box.
    if (press.key.toLowerCase() === 'd') return isMac && press.ctrlKey ? null : 'good';
    return press.key === 'Enter' ? 'reveal' : null;
  }
  if (press.key === ' ') return browsing ? 'preview' : null;
  return lookUp(PLAIN, press.key);
}

function lookUp(actions: Record<string, Action>, key: string): Action | null {
  return Object.hasOwn(actions, key) ? (actions[key] ?? null) : null;
}

/** Keys by which programs are summoned, as they are written there; others keep their name. */
const NAMES: Record<string, string> = { ' ': 'Space' };

/** What is no key of its own. */
const MODIFIERS = ['Control', 'Alt', 'Shift', 'Meta', 'AltGraph', 'Dead', 'Process', 'Unidentified'];

/** A press as a combination that may summon: `Ctrl+Alt+Space`; `null` while there is none. */
export function chordOf(press: Press & { code: string }): string | null {
  if (MODIFIERS.includes(press.key)) return null;
  const isFunction = /^F\d{1,2}$/.test(press.key);
  if (!press.ctrlKey && !press.altKey && !press.metaKey && !isFunction) return null;
  // By its place: with Alt or Shift held, what it writes is another sign.
  const key = /^(?:Key|Digit)(.)$/.exec(press.code)?.[1] ?? NAMES[press.key] ?? press.key;
  const held = [
    press.ctrlKey && 'Ctrl',
    press.altKey && 'Alt',
    press.shiftKey && 'Shift',
    press.metaKey && 'Super',
  ];
  return [...held.filter(Boolean), key].join('+');
}
