import { expect, it } from 'vitest';
import type { Backend, Mode } from '../backend';
import { Notices } from './notices.svelte';
import { Throttle } from './throttle.svelte';

/** A program that refuses full speed. */
function setup() {
  const sent: Mode[] = [];
  const backend = {
    setMode: async (mode: Mode) => {
      if (mode === 'full') throw { message: 'Not here.' };
      sent.push(mode);
    },
  } as unknown as Backend;
  const notices = new Notices();
  return { throttle: new Throttle(backend, notices), notices, sent };
}

it('shows what the program says', () => {
  const { throttle } = setup();
  throttle.modeIs('paused');
  expect(throttle.mode).toBe('paused');
  throttle.modeIs('full');
  expect(throttle.mode).toBe('full');
});

it('a choice shows at once, and no status from before it takes it back', async () => {
  const { throttle, sent } = setup();
  throttle.modeIs('considerate');
  const chosen = throttle.choose('paused');
  throttle.modeIs('considerate');
  expect([throttle.mode, sent]).toEqual(['paused', []]);
  await chosen;
  expect([throttle.mode, sent]).toEqual(['paused', ['paused']]);
  throttle.modeIs('considerate');
  expect(throttle.mode).toBe('considerate');
});

it('of choices in haste the last one stays, and all go in order', async () => {
  const { throttle, sent } = setup();
  throttle.modeIs('considerate');
  void throttle.choose('paused');
  const second = throttle.choose('considerate');
  const last = throttle.choose('paused');
  await second;
  expect(throttle.mode).toBe('paused');
  await last;
  expect([throttle.mode, sent]).toEqual(['paused', ['paused', 'considerate', 'paused']]);
});

it('one that is refused is taken back, with the reason', async () => {
  const { throttle, notices } = setup();
  throttle.modeIs('paused');
  await throttle.choose('full');
  expect(throttle.mode).toBe('paused');
  expect(notices.list[0]?.lines).toEqual(['Not here.']);
});

it.each([
  [['full', 'paused'], 'full'],
  [['considerate', 'paused'], 'considerate'],
  [['paused'], 'considerate'],
] as [Mode[], Mode][])('resuming after %j leads to %s', (modes, expected) => {
  const { throttle } = setup();
  for (const mode of modes) throttle.modeIs(mode);
  void throttle.resume();
  expect(throttle.mode).toBe(expected);
});
