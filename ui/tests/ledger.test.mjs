// The list of files: searched, filtered, scrolled through, and what can be done
// about each of them.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { calls, scan, sticksOut, windowTests } from './harness.mjs';

const check = windowTests();

const dialogOf = (page) => page.getByRole('dialog', { name: 'Files' });
const grid = (page) => page.getByRole('grid', { name: 'Files' });
const rows = (page) =>
  grid(page)
    .getByRole('row')
    .filter({ has: page.getByRole('gridcell') });
const rowOf = (page, name) => rows(page).filter({ hasText: name });
const button = (page, name) => dialogOf(page).getByRole('button', { name, exact: true });
const radio = (page, name) => dialogOf(page).getByRole('radio', { name });
const words = (page) => dialogOf(page).getByRole('searchbox');
const told = (page) => dialogOf(page).getByRole('status');
const activeName = (page) =>
  page.evaluate(() => {
    const id = document.querySelector('[role=grid]').getAttribute('aria-activedescendant');
    return document.getElementById(id)?.querySelector('.name').textContent;
  });
const isFocused = (locator) => locator.evaluate((element) => element === document.activeElement);

async function open(page) {
  await page.getByRole('button', { name: 'Files', exact: true }).click();
  await rows(page).first().waitFor();
}

/** Once the list has as many rows as this, heads left out. */
const hasRows = (page, count) =>
  page.waitForFunction(
    (count) => document.querySelector('[role=grid]').ariaRowCount === String(count + 1),
    count,
  );

describe('the list', () => {
  check('has as many rows as each state counts', 'ready', async (page) => {
    await open(page);
    const counts = { All: 5203, Indexed: 5175, Queued: 0, Skipped: 25, Failed: 3 };
    for (const [state, count] of Object.entries(counts)) {
      await radio(page, new RegExp(`^${state} ${count.toLocaleString('en-US')}$`)).check();
      await grid(page).focus();
      // To its end, however many pages that takes.
      while ((await grid(page).getAttribute('aria-rowcount')) !== String(count + 1))
        await grid(page).press('End');
    }
  });

  check('draws no more than is in sight, from first to last', 'failures', async (page) => {
    await page.getByRole('button', { name: '1,000 failed' }).click();
    await rows(page).first().waitFor();
    assert.ok(await radio(page, /^Failed/).isChecked());
    await grid(page).focus();
    while ((await grid(page).getAttribute('aria-rowcount')) !== '1001')
      await grid(page).press('End');
    await grid(page).press('End');
    await rowOf(page, 'statement-997.pdf').waitFor();
    assert.equal(await activeName(page), 'statement-997.pdf');
    assert.ok((await rows(page).count()) < 30, 'only what is in sight is drawn');
    const gaps = await grid(page).evaluate(async (grid) => {
      let gaps = 0;
      for (let top = grid.scrollHeight; top > 0; top -= 400) {
        grid.scrollTo({ top });
        await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
        const { left, top: y, height } = grid.getBoundingClientRect();
        const middle = document.elementFromPoint(left + 60, y + height / 2);
        if (!middle.closest('[role=row]')) gaps += 1;
      }
      return gaps;
    });
    assert.equal(gaps, 0, 'scrolling shows no gap');
  });

  check('is searched as a whole, not only where it was read', 'ready', async (page) => {
    await open(page);
    await words(page).fill('NOTE-4102 2019');
    await told(page).getByText('1 file', { exact: true }).waitFor();
    await rowOf(page, 'note-4102.md').waitFor();
    await words(page).fill('others wrote');
    await rowOf(page, 'node_modules').getByText('Whole folder').waitFor();
    await words(page).fill('nowhere to be found');
    await grid(page).getByText('No files here.').waitFor();
  });

  check('narrows to one folder, and a count opens it on just those', 'ready', async (page) => {
    const folders = page.getByRole('region', { name: 'Folders' });
    await folders.getByRole('button', { name: '25 skipped' }).click();
    await hasRows(page, 25);
    const folder = dialogOf(page).getByRole('combobox', { name: 'Folder' });
    assert.equal(await folder.inputValue(), '/home/you/Documents');
    await folder.selectOption('Notes');
    await hasRows(page, 0);
    await radio(page, /^Indexed 871$/).check();
    await rowOf(page, 'meter.py').waitFor();
  });

  check('says why, how often and when again', 'ready', async (page) => {
    await page.getByRole('button', { name: '3 failed' }).click();
    await rowOf(page, 'lease-1998.pdf')
      .getByText(/^Tried 3 times, next (tomorrow )?at \d\d:\d\d$/)
      .waitFor();
    await rowOf(page, 'thesis.tex').getByText('Tried twice, next when it changes').waitFor();
    await rowOf(page, 'broken.docx').getByText('Tried once').waitFor();
  });
});

describe('what can be done', () => {
  check('a failed file is read again, and leaves the failed', 'ready', async (page) => {
    await page.getByRole('button', { name: '3 failed' }).click();
    await button(page, 'Retry: thesis.tex').click();
    await told(page).getByText('thesis.tex is read again.').waitFor();
    await radio(page, /^Failed 2$/).waitFor();
    await hasRows(page, 2);
    assert.ok(await isFocused(grid(page)), 'the keyboard stays in the list');
    assert.equal((await calls(page)).flat()[0], 'retry');
  });

  check('a thousand failures are read again at once', 'failures', async (page) => {
    await page.getByRole('button', { name: '1,000 failed' }).click();
    await button(page, 'Retry all 1,000').click();
    await told(page).getByText('1,000 files are read again.').waitFor();
    await hasRows(page, 0);
    await radio(page, /^Queued 1,000$/).waitFor();
    assert.equal(await button(page, 'Retry all 1,000').count(), 0);
    assert.ok(await isFocused(grid(page)), 'the keyboard stays in the list');
  });

  check('just those shown are read again', 'failures', async (page) => {
    await page.getByRole('button', { name: '1,000 failed' }).click();
    await words(page).fill('statement-12');
    await button(page, 'Retry all 11').click();
    await told(page).getByText('11 files are read again.').waitFor();
    await radio(page, /^Failed 989$/).waitFor();
  });

  check(
    'what a rule leaves out is indexed anyway, and the rule is named',
    'ready',
    async (page) => {
      await page.getByRole('button', { name: '25 skipped' }).click();
      const row = rowOf(page, 'signing-key.pem');
      await row.getByText('The pattern *.pem in the settings leaves it out').waitFor();
      await button(page, 'Index anyway: signing-key.pem').click();
      await told(page)
        .getByText('signing-key.pem is indexed, against this: the pattern *.pem in the settings')
        .waitFor();
      await row.waitFor({ state: 'detached' });
      await radio(page, /^Skipped 24$/).waitFor();
    },
  );

  check('what does not work is said', 'ready', async (page) => {
    await page.getByRole('button', { name: '25 skipped' }).click();
    await button(page, 'Index anyway: .cache').click();
    await told(page).getByText('It is no longer there.').waitFor();
    await radio(page, /^Skipped 25$/).waitFor();
  });

  check('any row opens and is shown in its folder', 'ready', async (page) => {
    await page.getByRole('button', { name: '25 skipped' }).click();
    await rowOf(page, 'garden.mp4').dblclick();
    await button(page, 'Open: signing-key.pem').click();
    await button(page, 'Show in folder: node_modules').click();
    assert.deepEqual(
      (await calls(page)).map(([what, path]) => `${what} ${path.split('/').pop()}`),
      ['open garden.mp4', 'open signing-key.pem', 'reveal node_modules'],
    );
  });

  check('all of it by keyboard', 'ready', async (page) => {
    await page.getByRole('button', { name: '25 skipped' }).focus();
    await page.keyboard.press('Enter');
    await rows(page).first().waitFor();
    while (!(await isFocused(words(page)))) await page.keyboard.press('Tab');
    await page.keyboard.type('leaves');
    await hasRows(page, 2);
    await page.keyboard.press('ArrowDown');
    assert.ok(await isFocused(grid(page)));
    await page.keyboard.press('ArrowDown');
    assert.equal(await activeName(page), 'signing-key.pem');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Control+Enter');
    await page.keyboard.press('Tab');
    assert.ok(await isFocused(button(page, 'Index anyway: signing-key.pem')));
    await page.keyboard.press('Enter');
    await told(page).getByText('signing-key.pem is indexed').waitFor();
    assert.ok(await isFocused(grid(page)));
    assert.deepEqual(
      (await calls(page)).map(([what]) => what),
      ['open', 'reveal', 'include'],
    );
    await page.keyboard.press('Escape');
    await dialogOf(page).waitFor({ state: 'detached' });
  });
});

describe('folders', () => {
  check('one that is away says so until it is back', 'ready', async (page) => {
    const folders = page.getByRole('region', { name: 'Folders' });
    await folders.getByText('Away. What it held can still be found.').waitFor();
    await folders.getByText('13 indexed').waitFor();
    await scan(page, 'watching');
    await folders.getByText(/^Away/).waitFor({ state: 'detached' });
  });

  check('one that is not watched says so, and why', 'failures', async (page) => {
    const folders = page.getByRole('region', { name: 'Folders' });
    const state = folders.getByText('Not watched; looked through every two minutes');
    assert.match(await state.getAttribute('title'), /is a network drive/);
  });

  check('what they count is all there is', 'indexing', async (page) => {
    await open(page);
    await radio(page, /^All 5,173$/).waitFor();
    const counted = await page.evaluate(() =>
      [...document.querySelectorAll('dialog label')].map((label) =>
        Number(/([\d,]+)$/.exec(label.innerText.trim())[1].replace(',', '')),
      ),
    );
    assert.equal(
      counted[0],
      counted.slice(1).reduce((sum, count) => sum + count, 0),
    );
  });
});

describe('at every size', () => {
  for (const [width, height] of [
    [1280, 800],
    [800, 600],
    [560, 600],
    [420, 360],
  ])
    check(
      `nothing sticks out at ${width} × ${height}`,
      'failures',
      async (page) => {
        // A narrow window has its folders behind a button.
        await open(page);
        await radio(page, /^Failed/).check();
        await rowOf(page, 'lease-1998.pdf').waitFor();
        assert.deepEqual(await sticksOut(page), []);
        const { height: room } = await grid(page).boundingBox();
        assert.ok(room > 90, `room for rows: ${room}`);
      },
      { width, height },
    );
});
