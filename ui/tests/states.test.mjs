// What must hold in every state of the window: axe finds nothing, nothing is cut off,
// and whoever has no mouse sees where they are.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import { overlaps, slides, sticksOut, windowTests } from './harness.mjs';
import { STATES } from './states.mjs';

const check = windowTests();
const CALM = { reducedMotion: 'reduce' };

/** Of these the last is the window's own, and the one before it just has room for all buttons. */
const SIZES = [[440, 400], [800, 600], [1090, 700], [1100, 760]];

/** More stops than any state has. */
const STOPS = 400;

async function violations(page) {
  // Half faded in, a text has too little contrast.
  await page.evaluate(() =>
    Promise.allSettled(document.getAnimations().map((one) => one.finished)),
  );
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target).join(', ')}`);
}

/** The element with the focus, and whether that shows. */
const focused = (page) =>
  page.evaluate(() => {
    const own = document.activeElement;
    if (!own || own === document.body) return null;
    const isMarked = (element) => {
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
      return (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2) || /inset/.test(boxShadow);
    };
    // A radio button of a row is drawn by what follows it, a grid marks its row, and the
    // search box has a line of its own.
    const row = document.getElementById(own.getAttribute('aria-activedescendant') ?? '');
    const shown = [own, own.nextElementSibling, row].filter(Boolean).some(isMarked);
    window.stops ??= new Map();
    const number = window.stops.get(own) ?? window.stops.size;
    window.stops.set(own, number);
    const { width, height } = own.getBoundingClientRect();
    return {
      number,
      isSeen: (shown || own.id === 'search') && width > 0 && height > 0,
      name: `${own.tagName} ${own.getAttribute('aria-label') ?? own.textContent.trim().slice(0, 30)}`,
    };
  });

/** Goes from stop to stop until it comes round; those where the focus is not seen. */
async function unseen(page) {
  const seen = new Set();
  const unseen = [];
  for (let stop = 0; stop < STOPS; stop += 1) {
    await page.keyboard.press('Tab');
    const now = await focused(page);
    if (now === null) continue;
    if (seen.has(now.number)) break;
    seen.add(now.number);
    if (!now.isSeen) unseen.push(now.name);
  }
  assert.ok(seen.size > 0, 'something takes the focus');
  return unseen;
}

/** What slides after a while: rows take their new heights a moment after the window has its own. */
async function slidesStill(page) {
  const until = Date.now() + 3000;
  let found = await slides(page);
  while (found.length > 0 && Date.now() < until) found = await slides(page);
  return found;
}

for (const [name, [scene, steps]] of Object.entries(STATES))
  describe(name, () => {
    check(
      `${name} is for everyone, light and dark, and by Tab`,
      scene,
      async (page) => {
        await steps(page);
        for (const colorScheme of ['light', 'dark']) {
          await page.emulateMedia({ colorScheme });
          assert.deepEqual(await violations(page), [], colorScheme);
        }
        assert.deepEqual(await unseen(page), [], 'the focus is not seen there');
      },
      CALM,
    );

    check(
      `nothing of ${name} is cut off or covered in a small window, or in one as it opens`,
      scene,
      async (page) => {
        await steps(page);
        for (const [width, height] of SIZES) {
          await page.setViewportSize({ width, height });
          assert.deepEqual(await sticksOut(page), [], `${width} × ${height}`);
          assert.deepEqual(await overlaps(page), [], `${width} × ${height}`);
          assert.deepEqual(await slidesStill(page), [], `${width} × ${height}`);
        }
      },
      { ...CALM, width: 440, height: 400 },
    );
  });

check('what would slide is noticed', 'ready', async (page) => {
  const hide = () => {
    const words = document.createElement('p');
    words.textContent = 'Out of sight';
    words.style = 'position: absolute; top: 200%';
    document.body.append(words);
  };
  assert.deepEqual(await slides(page), []);
  await page.evaluate(hide);
  assert.notDeepEqual(await slides(page), []);
});

check('axe does notice a broken page', 'ready', async (page) => {
  await page.evaluate(() => document.querySelector('#search').removeAttribute('aria-label'));
  await page.evaluate(() => document.querySelector('#search').removeAttribute('placeholder'));
  assert.notDeepEqual(await violations(page), []);
});

check('a focus that is not seen is noticed', 'ready', async (page) => {
  await page.evaluate(() => (document.querySelector('footer').tabIndex = 0));
  await page.evaluate(() => (document.querySelector('footer').style.outline = 'none'));
  assert.equal((await unseen(page)).length, 1);
}, CALM);
