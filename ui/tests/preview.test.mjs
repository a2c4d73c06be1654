// Looking into what was found: filters, preview, reasons, what is similar, earlier
// searches, long lists. In a real browser, with sample data behind it.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { calls, sticksOut, windowTests } from './harness.mjs';

const check = windowTests();

const box = (page) => page.getByRole('searchbox', { name: 'Search', exact: true });
const list = (page) => page.getByRole('listbox', { name: 'Results' });
const selected = (page) => page.getByRole('option', { selected: true });
const preview = (page) => page.getByRole('region', { name: 'Preview' });

async function search(page, query = 'heat pump') {
  await box(page).fill(query);
  await page.getByText(/^[\d,]+ files? · \d+ ms/).waitFor();
}

/** Looks into the result so many lines below the first. */
async function look(page, down = 0) {
  await search(page);
  for (let i = 0; i <= down; i += 1) await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press(' ');
  await preview(page).getByText(/Passage [\d,]+ of/).waitFor({ state: 'attached' });
}

describe('filters', () => {
  check('write themselves into the query, and are taken out of it', 'ready', async (page) => {
    await search(page);
    await page.getByRole('button', { name: 'Type' }).click();
    await page.getByRole('menuitemradio', { name: 'PDF' }).click();
    assert.equal(await box(page).inputValue(), 'heat pump type:pdf ');
    assert.ok(await box(page).evaluate((input) => input === document.activeElement));
    await page.getByRole('button', { name: 'Folder', exact: true }).click();
    await page.getByRole('menuitemradio', { name: 'Archive 2019' }).click();
    assert.equal(await box(page).inputValue(), 'heat pump type:pdf in:"Archive 2019" ');
    await page.getByRole('button', { name: 'Type: PDF', exact: true }).click();
    assert.equal(
      await page.getByRole('menuitemradio', { name: 'PDF' }).getAttribute('aria-checked'),
      'true',
    );
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Remove the filter: Type' }).click();
    assert.equal(await box(page).inputValue(), 'heat pump in:"Archive 2019" ');
    await page.getByRole('button', { name: 'Remove the filter: Folder' }).click();
    assert.equal(await box(page).inputValue(), 'heat pump');
    await page.waitForFunction(() => window.fake.searches.at(-1) === 'heat pump');
  });

  check('are shown when they are typed', 'ready', async (page) => {
    await search(page, 'heat type:md,txt after:2024-06 in:/mnt/x');
    for (const name of ['Type: Notes and text', 'Folder: x', 'Date: From 2024-06'])
      await page.getByRole('button', { name, exact: true }).waitFor();
  });

  check('are chosen by keyboard', 'ready', async (page) => {
    await search(page);
    await page.getByRole('button', { name: 'Date' }).focus();
    for (const key of ['ArrowDown', 'ArrowDown', 'Enter']) await page.keyboard.press(key);
    assert.match(await box(page).inputValue(), /^heat pump after:\d{4}-\d\d-\d\d $/);
    await page.getByRole('button', { name: 'Date: Past week' }).waitFor();
  });
});

describe('the preview', () => {
  check('shows the passage in its place, marked, and follows the selection', 'ready', async (page) => {
    await look(page);
    const chosen = preview(page).locator('[data-chosen]');
    assert.match(await chosen.textContent(), /air-to-water heat pump/);
    assert.deepEqual(await chosen.locator('mark').allTextContents(), ['heat pump', 'boiler']);
    const inSight = await chosen.evaluate((element) => {
      const [own, pane] = [element, element.parentElement].map((e) => e.getBoundingClientRect());
      return own.top >= pane.top && own.bottom <= pane.bottom;
    });
    assert.ok(inSight);
    await page.keyboard.press('ArrowDown');
    await preview(page).getByText('Page 12').waitFor();
    await page.keyboard.press('Escape');
    assert.equal(await preview(page).count(), 0);
    assert.equal(await box(page).inputValue(), 'heat pump', 'the query stays');
    await page.keyboard.press('Escape');
    assert.equal(await box(page).inputValue(), '');
  });

  check('a space is a letter while one types', 'ready', async (page) => {
    await search(page);
    await page.keyboard.type(' x');
    assert.equal(await box(page).inputValue(), 'heat pump x');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('a');
    await page.keyboard.type(' b');
    assert.equal(await box(page).inputValue(), 'heat pump xa b');
    assert.equal(await preview(page).count(), 0);
  });

  check('opens on the passage that was pressed', 'ready', async (page) => {
    await search(page);
    await list(page).getByText('Ground source would cost').click();
    await page.getByRole('button', { name: 'Preview' }).click();
    await preview(page).locator('[data-chosen]').getByText('Ground source would cost').waitFor();
  });

  check('fetches the rest of the file as one reads on', 'ready', async (page) => {
    await look(page);
    const text = preview(page).getByRole('document');
    for (let i = 0; i < 8; i += 1) {
      await text.evaluate((element) => element.scrollTo({ top: element.scrollHeight }));
      await page.waitForTimeout(60);
    }
    await text.getByText('Measurement 119').waitFor();
    for (let i = 0; i < 8; i += 1) {
      await text.evaluate((element) => element.scrollTo({ top: 0 }));
      await page.waitForTimeout(60);
    }
    await text.getByText('Measurement 0', { exact: true }).waitFor();
  });

  check('what comes above moves nothing in sight', 'ready', async (page) => {
    await look(page);
    const text = preview(page).getByRole('document');
    const place = () =>
      text.locator('[data-chosen]').evaluate((element) => element.getBoundingClientRect().top);
    await text.evaluate((element) => element.scrollTo({ top: 500 }));
    const before = await place();
    await page.waitForFunction(
      () => document.querySelectorAll('.preview .part').length > 30,
    );
    assert.ok(Math.abs((await place()) - before) < 2);
  });

  check('colours programs', 'ready', async (page) => {
    await look(page, 2);
    const comment = preview(page).locator('pre .comment', { hasText: 'What the meter' }).first();
    await comment.waitFor();
    const marks = preview(page).locator('pre[data-chosen] mark');
    assert.ok((await marks.allTextContents()).includes('Heat'));
  });

  check('a file that has gone says so', 'ready', async (page) => {
    await look(page);
    for (let i = 0; i < 4; i += 1) await page.keyboard.press('ArrowDown');
    await preview(page).getByRole('alert').getByText('The file is gone.').waitFor();
  });

  check('runs nothing of what hostile files hold', 'hostile', async (page) => {
    const fetched = [];
    page.on('request', (request) => fetched.push(request.url()));
    await search(page);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press(' ');
    for (let i = 0; i < 4; i += 1) {
      await preview(page).getByText(/Passage \d/).waitFor();
      await page.waitForTimeout(150);
      const inside = await preview(page).evaluate((pane) => ({
        foreign: pane.querySelectorAll('script, img, iframe, input, a, style, object, [onload]').length,
        pwned: window.pwned,
      }));
      assert.deepEqual(inside, { foreign: 0, pwned: undefined });
      await page.keyboard.press('ArrowDown');
    }
    assert.deepEqual(fetched.filter((url) => !/\/assets\/[\w.-]+\.js$/.test(url)), []);
    await page.getByText('window.pwned = 13').first().waitFor();
  });
});

describe('a result', () => {
  check('says why it is here, in words and in a picture', 'ready', async (page) => {
    await look(page);
    await preview(page).getByRole('button', { name: 'Why is this here?' }).click();
    const why = preview(page).getByRole('group', { name: 'Why is this here?' });
    await why.getByText(/It holds “heat pump”, “boiler”/).waitFor();
    await why.getByText(/Its meaning is 76 % like that of your question/).waitFor();
    const picture = why.getByRole('img', { name: /Meaning \+1\.69, Words \+0\.85; score 2\.54/ });
    assert.equal(await picture.locator('rect').count(), 3);
  });

  check('its reason is the way to all of it', 'ready', async (page) => {
    await search(page);
    await selected(page).getByText('words + meaning').click();
    await preview(page).getByRole('group', { name: 'Why is this here?' }).waitFor();
  });

  check('leads to what is similar, and back', 'ready', async (page) => {
    await look(page);
    await preview(page).getByRole('button', { name: 'Find similar' }).click();
    await page.getByText('Similar to heat-pump-comparison.md').waitFor();
    await page.getByText('4 files · 12 ms').waitFor();
    assert.deepEqual((await calls(page)).map(([what]) => what), ['similar']);
    assert.equal(await box(page).inputValue(), 'heat pump');
    await page.getByRole('button', { name: 'Back to the search' }).click();
    await page.getByText('5 files · 41 ms').waitFor();
  });

  check('is copied with its path', 'ready', async (page) => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await search(page);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Control+c');
    await page.getByRole('status').getByText(/^Copied, with the path of quotation/).waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(copied, /^Removal of the existing.*\n\n\/home\/you.*replacement\.pdf, page 12$/);
  });

  check('found by meaning shows its nearest sentence, and nothing moves', 'ready', async (page) => {
    await search(page, 'heat');
    const place = () => list(page).getByText('running-costs.xlsx').boundingBox();
    const before = await place();
    await list(page).locator('mark.near', { hasText: /^From October the reduced/ }).waitFor();
    assert.deepEqual(await place(), before);
  });
});

describe('earlier searches', () => {
  check('are there when nothing is asked, by keyboard too', 'ready', async (page) => {
    await page.getByText('Try one of these, from your own files').waitFor();
    await search(page);
    await page.keyboard.press('Enter');
    await page.keyboard.press('Escape');
    const recent = page.getByRole('region', { name: 'Recent searches' });
    await recent.getByText('heat pump').waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByText('5 files · 41 ms').waitFor();
    assert.equal(await box(page).inputValue(), 'heat pump');
    await page.keyboard.press('Escape');
    await recent.getByRole('button', { name: 'Clear' }).click();
    assert.equal(await recent.count(), 0);
    assert.equal(await page.evaluate(() => localStorage.getItem('searches')), null);
  });

  check('the first ones are made from the files', 'ready', async (page) => {
    const these = page.getByRole('region', { name: 'Try one of these, from your own files' });
    assert.deepEqual(
      (await these.getByRole('button').allTextContents()).map((text) => text.trim()),
      ['Heat pump comparison', 'tariff change', 'running costs'],
    );
    await these.getByRole('button').first().click();
    await page.getByText('5 files · 41 ms').waitFor();
  });
});

describe('the first folder', () => {
  check('has questions as soon as some of it is indexed', 'first', async (page) => {
    await page.getByRole('button', { name: 'Choose folders…' }).click();
    const push = (coverage) => page.evaluate((coverage) => window.fake.push({ coverage }), coverage);
    const these = page.getByRole('region', { name: 'Try one of these, from your own files' });
    await push({ known: 3, searched: 3, meaning: 0 });
    await page.getByText('Search 3 files').waitFor();
    assert.equal(await these.count(), 0);
    await push({ known: 3, searched: 3, meaning: 3 });
    await these.waitFor();
  });
});

describe('ten thousand results', () => {
  check('come as one scrolls, and only those in sight are drawn', 'many', async (page) => {
    await search(page, 'heat');
    await page.getByText('30 files').waitFor();
    for (const expected of ['120 files', '480 files', '1,920 files', '7,680 files', '10,000 files']) {
      await list(page).evaluate((list) => list.scrollTo({ top: list.scrollHeight }));
      await page.getByText(expected).waitFor();
    }
    assert.ok((await list(page).getByRole('option').count()) < 60);
    for (let i = 0; i < 3; i += 1) {
      await list(page).evaluate((list) => list.scrollTo({ top: list.scrollHeight }));
      await page.waitForTimeout(100);
    }
    const last = list(page).getByRole('option').last();
    assert.equal(await last.getAttribute('aria-posinset'), '10000');
    await last.click();
    await page.keyboard.press('PageUp');
    assert.equal(await selected(page).getAttribute('aria-posinset'), '9995');
    const inSight = await selected(page).evaluate((option) => {
      const [own, list] = [option, option.closest('[role=listbox]')].map((e) => e.getBoundingClientRect());
      return own.top >= list.top - 1 && own.bottom <= list.bottom + 1;
    });
    assert.ok(inSight);
  });
});

describe('at every size', () => {
  for (const [width, height] of [
    [1280, 800],
    [1040, 700],
    [800, 600],
    [550, 400],
  ])
    check(
      `nothing sticks out of the preview at ${width} × ${height}`,
      'ready',
      async (page) => {
        await look(page);
        await preview(page).getByRole('button', { name: 'Why is this here?' }).click();
        assert.deepEqual(await sticksOut(page), []);
        const text = await preview(page).getByRole('document').boundingBox();
        assert.ok(text.height > 60, `room for the text, not ${text.height}`);
      },
      { width, height },
    );
});
