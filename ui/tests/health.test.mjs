// The Health panel and the throttle as a person meets them, with pools in states
// that are hard to reach: held back, paused, in a storm of crashes, not there.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { calls, push, scan, sticksOut, windowTests } from './harness.mjs';

const check = windowTests();

const panel = (page) => page.getByRole('dialog', { name: 'Health' });
const workers = (page) => panel(page).getByRole('region', { name: 'Workers' });
const ends = (page) => panel(page).getByRole('region', { name: 'Recently ended' });
const chart = (page, name) => panel(page).getByRole('slider', { name });
const throttle = (page) => page.getByRole('group', { name: 'Indexing speed' });
const mode = (page, name) => throttle(page).getByRole('radio', { name });
const activity = (page) => page.getByRole('region', { name: 'Activity' });

async function open(page) {
  await page.getByRole('button', { name: 'Health' }).click();
  await workers(page).waitFor();
}

describe('health', () => {
  check(
    'each worker with its process, state, memory, work and restarts',
    'indexing',
    async (page) => {
      await open(page);
      const rows = workers(page).locator('tbody tr');
      assert.equal(await rows.count(), 5);
      const text = (await rows.nth(2).innerText()).replace(/\s+/g, ' ');
      assert.match(text, /Embeds passages Process 4730 · 23 min Being replaced 640 MB/);
      assert.match(text, /12,655 passages 198 leases 1 It was ended by signal 9/);
      const meter = rows.nth(2).getByRole('meter');
      assert.equal(
        await meter.getAttribute('aria-valuetext'),
        '640 MB; replaced past 600 MB, ended at once past 1.2 GB',
      );
      const share = await meter.evaluate((bar) => {
        const taken = bar.firstElementChild.getBoundingClientRect().width;
        return taken / bar.getBoundingClientRect().width;
      });
      assert.ok(Math.abs(share - 640 / 1200) < 0.02, `the bar is drawn to its share, not ${share}`);
      await workers(page).getByText('1.3 GB of 2 GB').waitFor();
      await workers(page).getByText('1 planned, 1 crash').waitFor();
    },
  );

  check('who ended, why and how long ago, newest first', 'indexing', async (page) => {
    await open(page);
    const texts = await ends(page).getByRole('listitem').allInnerTexts();
    assert.deepEqual(
      texts.map((text) => text.replace(/\s+/g, ' ').trim()),
      [
        'Unplanned: Embeds passages It was ended by signal 9 Process 4714 · 210 MB · 3,180 passages 22 min ago',
        'Planned: Embeds passages It held 612 MB, past its limit of 600 MB Process 4702 · 612 MB · 31,040 passages 26 min ago',
      ],
    );
  });

  check('follows the status while it is open', 'indexing', async (page) => {
    await open(page);
    await page.evaluate(() => {
      const { pool } = window.fake.status;
      const [first, ...others] = pool.workers;
      window.fake.push({ pool: { ...pool, workers: [{ ...first, pid: 9001 }, ...others] } });
    });
    await workers(page).getByText('Process 9001').waitFor();
    assert.equal(await workers(page).getByText('Process 4711').count(), 0);
  });

  check('a moment is chosen by keyboard, and both charts show it', 'indexing', async (page) => {
    await open(page);
    await chart(page, 'Memory').focus();
    const newest = await chart(page, 'Memory').getAttribute('aria-valuetext');
    assert.match(newest, /^\d+ MB, now$/);
    for (let press = 0; press < 90; press += 1) await page.keyboard.press('ArrowLeft');
    assert.match(await chart(page, 'Memory').getAttribute('aria-valuetext'), /, 3 min ago$/);
    assert.equal(
      await chart(page, 'Throughput').getAttribute('aria-valuetext'),
      '0 passages/s, 3 min ago',
    );
    assert.equal(await panel(page).getByText('0 passages/s, 3 min ago').count(), 1);
    await page.keyboard.press('Tab');
    assert.equal(await chart(page, 'Memory').getAttribute('aria-valuetext'), newest);
  });

  check('a moment is chosen by pointing at it', 'indexing', async (page) => {
    await open(page);
    const { x, y, width, height } = await chart(page, 'Throughput').boundingBox();
    await page.mouse.move(x + width / 2, y + height / 2);
    assert.match(await chart(page, 'Memory').getAttribute('aria-valuetext'), /, [45] min ago$/);
    await page.mouse.move(x + width / 2, y - 80);
    assert.match(await chart(page, 'Memory').getAttribute('aria-valuetext'), /, now$/);
  });

  check('figures are asked for while it is open, and no longer', 'indexing', async (page) => {
    await page.clock.install();
    await open(page);
    const asked = () => page.evaluate(() => window.fake.historyAsked);
    await page.evaluate(() => {
      window.fake.history = [{ ...window.fake.history.at(-1), passagesPerSecond: 777 }];
    });
    await page.clock.runFor(2500);
    await panel(page).getByText('777 passages/s').waitFor();
    const before = await asked();
    await page.clock.runFor(20_000);
    assert.ok((await asked()) > before);
    await page.keyboard.press('Escape');
    await panel(page).waitFor({ state: 'detached' });
    const after = await asked();
    await page.clock.runFor(20_000);
    assert.equal(await asked(), after);
  });

  check('without workers, figures and ends it says so', 'problems', async (page) => {
    await open(page);
    for (const text of [
      'No passages are embedded: model.onnx is not there.',
      'No worker runs now.',
      'No worker has ended.',
      'No figures yet.',
    ])
      await panel(page).getByText(text).waitFor();
    assert.equal(
      await panel(page)
        .getByText(/All of Rummage|0 MB/)
        .count(),
      0,
    );
    await push(page, { pool: await paused(page) });
    await panel(page).getByText('No worker runs while indexing is paused.').waitFor();
  });

  check('figures that cannot be had are said so, beside the workers', 'indexing', async (page) => {
    await page.evaluate(() => (window.fake.history = null));
    await open(page);
    await panel(page).getByRole('alert').getByText('No figures are kept.').waitFor();
    assert.equal(await workers(page).locator('tbody tr').count(), 5);
  });

  check('a storm of crashes stays readable', 'storm', async (page) => {
    await open(page);
    assert.equal(await ends(page).getByRole('listitem').count(), 20);
    await workers(page).getByText('1 planned, 98 crashes').waitFor();
    await workers(page).getByText('No process yet').waitFor();
    const widths = await workers(page)
      .getByRole('meter')
      .evaluateAll((bars) =>
        bars.map((bar) => bar.firstElementChild.clientWidth / bar.clientWidth),
      );
    assert.ok(
      widths.every((width) => width <= 1),
      `no bar leaves its track: ${widths}`,
    );
  });
});

/** The pool as it is, but paused. */
const paused = (page) => page.evaluate(() => ({ ...window.fake.status.pool, mode: 'paused' }));

describe('throttle', () => {
  check('one press pauses, one resumes as it was before', 'indexing', async (page) => {
    assert.ok(await mode(page, 'Considerate').isChecked());
    await mode(page, 'Full speed').check();
    await mode(page, 'Paused').check();
    await activity(page).getByText('Search still works.').waitFor();
    assert.equal(
      await activity(page)
        .getByText(/files\/s/)
        .count(),
      0,
    );
    const bar = activity(page).getByRole('progressbar');
    assert.equal(await bar.getAttribute('aria-valuetext'), '1,204 of 5,170 files');
    await activity(page).getByRole('button', { name: 'Resume' }).click();
    await activity(page)
      .getByText(/files\/s/)
      .waitFor();
    assert.ok(await mode(page, 'Full speed').isChecked());
    assert.deepEqual(await calls(page), [
      ['mode', 'full'],
      ['mode', 'paused'],
      ['mode', 'full'],
    ]);
  });

  check('by keyboard too', 'ready', async (page) => {
    await mode(page, 'Considerate').focus();
    await page.keyboard.press('ArrowRight');
    await activity(page).getByRole('button', { name: 'Resume' }).waitFor();
    await page.keyboard.press('ArrowLeft');
    await activity(page).getByText('Up to date').waitFor();
    await page.keyboard.press('ArrowRight');
    await activity(page).getByRole('button', { name: 'Resume' }).focus();
    await page.keyboard.press('Enter');
    assert.ok(
      await mode(page, 'Considerate').evaluate((radio) => radio === document.activeElement),
      'the focus is not lost with the button',
    );
  });

  check('search works while paused', 'paused', async (page) => {
    assert.ok(await mode(page, 'Paused').isChecked());
    await page.getByRole('searchbox', { name: 'Search', exact: true }).fill('heat pump');
    await page.getByText('5 files · 41 ms').waitFor();
  });

  check('says what holds it back', 'battery', async (page) => {
    await activity(page).getByText('1 of 2 workers: on battery').waitFor();
    await open(page);
    await workers(page).getByText('1 of 2 workers: on battery').waitFor();
    await page.keyboard.press('Escape');
    await mode(page, 'Paused').check();
    await activity(page).getByText('on battery').waitFor({ state: 'detached' });
    await mode(page, 'Considerate').check();
    await activity(page).getByText('on battery').waitFor();
    await scan(page, 'watching', { indexing: null });
    await activity(page).getByText('on battery').waitFor({ state: 'detached' });
  });

  check('a refusal is told, and the choice goes back', 'storm', async (page) => {
    await mode(page, 'Paused').click();
    await page.getByRole('status').getByText('Another Rummage indexes.').waitFor();
    assert.ok(await mode(page, 'Considerate').isChecked());
  });
});

describe('settings of the pool', () => {
  const open = async (page) => {
    await page.keyboard.press('Control+,');
    const dialog = page.getByRole('dialog', { name: 'Settings' });
    await dialog.getByText('Memory per worker').first().waitFor();
    return dialog;
  };

  check(
    'memory a worker: chosen for you, yours, or refused with the reason',
    'ready',
    async (page) => {
      const dialog = await open(page);
      const memory = dialog.getByRole('spinbutton', { name: 'Memory per worker', exact: true });
      assert.equal(await memory.inputValue(), '600');
      await dialog.getByRole('checkbox', { name: 'Auto (600) for Memory per worker' }).uncheck();
      await dialog.getByText('Saved').waitFor();
      await memory.fill('5');
      await dialog.getByText('Enter a whole number from 128 to 65,536.').waitFor();
      await memory.fill('900');
      await page.waitForFunction(() => window.fake.calls.length === 2);
      const saved = await page.evaluate(() =>
        window.fake.calls.map(([, one]) => one.memoryMegabytes),
      );
      assert.deepEqual(saved, [600, 900]);
    },
  );

  check('the indexing speed is the one of the throttle', 'ready', async (page) => {
    await mode(page, 'Full speed').check();
    const dialog = await open(page);
    const speed = dialog.getByRole('group', { name: 'Indexing speed' });
    assert.ok(await speed.getByRole('radio', { name: 'Full speed' }).isChecked());
    await speed.getByRole('radio', { name: 'Paused' }).check();
    await dialog.getByText('Saved').waitFor();
    await dialog.getByText('Nothing is read or embedded. Search still works.').waitFor();
    await page.keyboard.press('Escape');
    await activity(page).getByText('Search still works.').waitFor();
    assert.ok(await mode(page, 'Paused').isChecked());
  });
});

describe('at every size', () => {
  for (const [width, height] of [
    [1280, 800],
    [640, 720],
    [420, 560],
  ])
    check(
      `nothing sticks out at ${width} × ${height}`,
      'storm',
      async (page) => {
        for (const name of ['Full speed', 'Considerate', 'Paused']) {
          const { width } = await mode(page, name).boundingBox();
          assert.ok(width >= 24, `${name} is large enough to press: ${width}`);
        }
        assert.deepEqual(await sticksOut(page), []);
        await open(page);
        assert.deepEqual(await sticksOut(page), []);
        const inside = await panel(page).evaluate((dialog) => {
          const body = dialog.querySelector('[role=region]');
          return body.scrollWidth <= body.clientWidth;
        });
        assert.ok(inside, 'nothing scrolls sideways');
      },
      { width, height },
    );
});
