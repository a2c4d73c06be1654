import { describe, expect, it } from 'vitest';
import { chordOf, type Press, searchAction, windowAction } from './keys';

function press(chord: string): Press {
  const parts = chord.split('+');
  return {
    key: parts.at(-1) ?? '',
    ctrlKey: parts.includes('Ctrl'),
    metaKey: parts.includes('Cmd'),
    altKey: parts.includes('Alt'),
    shiftKey: parts.includes('Shift'),
    isComposing: parts.includes('Composing'),
  };
}

describe('anywhere', () => {
  it.each([
    ['Ctrl+k', 'focus'],
    ['Cmd+K', 'focus'],
    ['Ctrl+,', 'settings'],
    ['Ctrl+Shift+k', null],
    ['k', null],
  ])('%s: %s', (chord, action) => {
    for (const typing of [true, false]) expect(windowAction(press(chord), typing)).toBe(action);
  });
  it('a slash is a letter while typing', () => {
    expect(windowAction(press('/'), false)).toBe('focus');
    expect(windowAction(press('/'), true)).toBe(null);
  });
});

describe('in the search', () => {
  it.each([
    ['ArrowDown', 'down'],
    ['ArrowUp', 'up'],
    ['PageDown', 'pageDown'],
    ['Enter', 'open'],
    ['Ctrl+Enter', 'reveal'],
    ['Cmd+Enter', 'reveal'],
    ['Ctrl+d', 'good'],
    ['Cmd+D', 'good'],
    ['Ctrl+Alt+d', null],
    ['Escape', 'clear'],
    ['Composing+Enter', null],
    ['Shift+ArrowDown', null],
    ['Alt+Enter', null],
    ['Alt+ArrowDown', 'unfold'],
    ['Alt+ArrowUp', 'fold'],
    ['Ctrl+Alt+ArrowDown', null],
    ['Alt+toString', null],
    ['Ctrl+ArrowDown', null],
    ['a', null],
    ['toString', null],
  ])('%s: %s', (chord, action) => {
    for (const browsing of [true, false])
      expect(searchAction(press(chord), { browsing, marked: false })).toBe(action);
  });

  it('a space is a letter, except while one looks through the list', () => {
    expect(searchAction(press(' '), { browsing: true, marked: false })).toBe('preview');
    expect(searchAction(press(' '), { browsing: false, marked: false })).toBe(null);
    expect(searchAction(press('Ctrl+ '), { browsing: true, marked: false })).toBe(null);
  });

  it('Ctrl+C copies the passage where no text is marked', () => {
    for (const chord of ['Ctrl+c', 'Cmd+C']) {
      expect(searchAction(press(chord), { browsing: false, marked: false })).toBe('copy');
      expect(searchAction(press(chord), { browsing: true, marked: true })).toBe(null);
    }
  });
});

describe('a combination that summons', () => {
  it.each([
    ['Ctrl+Alt+ ', 'Space', 'Ctrl+Alt+Space'],
    ['Ctrl+Shift+K', 'KeyK', 'Ctrl+Shift+K'],
    ['Alt+!', 'Digit1', 'Alt+1'],
    ['Cmd+k', 'KeyK', 'Super+K'],
    ['F9', 'F9', 'F9'],
    ['k', 'KeyK', null],
    ['Tab', 'Tab', null],
    ['Escape', 'Escape', null],
    ['Ctrl+Control', 'ControlLeft', null],
    ['Shift+K', 'KeyK', null],
  ])('%s: %s', (chord, code, expected) =>
    expect(chordOf({ ...press(chord), code })).toBe(expected));
});
