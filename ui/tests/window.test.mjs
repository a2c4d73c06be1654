// The window as a person meets it, in a real browser under the app's own content
// security policy, with sample data behind it. What needs the desktop is not here.
import assert from 'node:assert/strict';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  buildWindow,
  calls,
  push,
  scan,
  sticksOut,
  windowTests,
} from './harness.mjs';

const check = windowTests();

const box = (page) => page.getByRole('searchbox', { name: 'Search', exact: true });
const list = (page) => page.getByRole('listbox', { name: 'Results' });
const selected = (page) => page.getByRole('option', { selected: true });
const drag = (page, event) => page.evaluate((event) => window.fake.drag(event), event);

async function search(page, query = 'heat pump') {
  await box(page).fill(query);
  await page.getByText('5 files · 41 ms').waitFor();
}

/** Leaves the first of three copies selected. */
async function searchAlike(page) {
  await search(page);
  for (const key of ['ArrowDown', 'Alt+ArrowDown', 'ArrowDown']) await page.keyboard.press(key);
  await selected(page).getByText('identical copy').waitFor();
}

describe('first run', () => {
  check('one sentence, one target, one button', 'first', async (page) => {
    await page.getByText('Rummage finds your own files by meaning.').waitFor();
    await page.getByText('Drop folders here').waitFor();
    assert.equal(await box(page).count(), 0);
    await page.getByRole('button', { name: 'Choose folders…' }).click();
    await page.getByRole('status').getByText('Added Pictures').waitFor();
    await page.getByRole('region', { name: 'Folders' }).getByText('Pictures').waitFor();
    assert.ok(
      await box(page).evaluate((input) => input === document.activeElement),
      'search has the focus',
    );
  });

  check('a program that does not answer is no blank window', 'unreadable', async (page) => {
    const alert = page.getByRole('alert');
    await alert.getByText('The index could not be opened.').waitFor();
    await alert.getByRole('button', { name: 'Try again' }).waitFor();
  });
});

describe('a later start', () => {
  check('one can type before the index is open', 'ready', async (page) => {
    await page.goto(page.url().replace('ready', 'slow'));
    await box(page).fill('heat pump');
    assert.equal(await page.locator('body[data-ready]').count(), 0);
    await list(page).getByRole('option').first().waitFor();
    await page.locator('body[data-ready]').waitFor({ state: 'attached' });
    assert.equal(await box(page).inputValue(), 'heat pump');
    assert.equal(await list(page).getByRole('option').count(), 5);
  });
});

describe('search', () => {
  check('shows files with their passages, marks and reasons', 'ready', async (page) => {
    await search(page);
    assert.equal(await list(page).getByRole('option').count(), 5);
    const first = list(page).getByRole('option').first();
    assert.deepEqual(await first.locator('mark').allTextContents(), ['heat pump', 'boiler']);
    await first.getByText('Heat pump comparison › Air to water').waitFor();
    await list(page).getByText('Page 12').waitFor();
  });

  check('is all keyboard', 'ready', async (page) => {
    await page.keyboard.type('heat pump');
    await page.getByText('5 files · 41 ms').waitFor();
    await selected(page).filter({ hasText: 'heat-pump-comparison.md' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await selected(page).filter({ hasText: 'quotation' }).waitFor();
    assert.equal(
      await box(page).getAttribute('aria-activedescendant'),
      await selected(page).getAttribute('id'),
    );
    await page.keyboard.press('Enter');
    await page.keyboard.press('PageDown');
    await page.keyboard.press('Control+Enter');
    const [opened, revealed] = await calls(page);
    assert.match(opened.join(' '), /^open .*quotation-heating-system-replacement\.pdf$/);
    assert.match(revealed.join(' '), /^reveal .*running-costs\.xlsx$/);
    await page.keyboard.press('Escape');
    assert.equal(await box(page).inputValue(), '');
    await list(page).waitFor({ state: 'detached' });
  });

  check('a slash and Ctrl+K lead back to it', 'ready', async (page) => {
    for (const key of ['/', 'Control+k']) {
      await page.getByRole('button', { name: 'Settings' }).focus();
      await page.keyboard.press(key);
      assert.ok(await box(page).evaluate((input) => input === document.activeElement), key);
    }
    assert.equal(await box(page).inputValue(), '');
  });

  check('the mouse selects and opens too', 'ready', async (page) => {
    await search(page);
    await page.getByText('meter.py').click();
    assert.match(await selected(page).textContent(), /meter\.py/);
    await page.getByText('running-costs.xlsx').dblclick();
    await page.getByRole('button', { name: 'Show in folder' }).click();
    assert.deepEqual(
      (await calls(page)).map(([what, path]) => `${what} ${path.split('/').pop()}`),
      ['open running-costs.xlsx', 'reveal running-costs.xlsx'],
    );
  });

  check('a result is marked good by a key, and that is taken back by a button', 'ready', async (page) => {
    await search(page);
    const button = page.getByRole('button', { name: 'Good result' });
    assert.equal(await button.getAttribute('aria-pressed'), 'false');
    await page.keyboard.press('Control+d');
    await list(page).getByRole('option', { name: /Marked good\.$/ }).waitFor();
    assert.equal(await button.getAttribute('aria-pressed'), 'true');
    // It is a mark of this very question.
    await box(page).fill('heat');
    await page.locator('main[data-answered="heat"]').waitFor();
    assert.equal(await list(page).getByRole('option', { name: /Marked good/ }).count(), 0);
    await search(page);
    await list(page).getByRole('option', { name: /Marked good/ }).waitFor();
    await button.click();
    await list(page).getByRole('option', { name: /Marked good/ }).waitFor({ state: 'detached' });
    const path = '/home/you/Documents/House/Heating/heat-pump-comparison.md';
    const asked = await page.evaluate(() => window.fake.calls);
    assert.deepEqual(asked.filter(([what]) => what === 'good'), [
      ['good', path, 'heat pump', true],
      ['good', path, 'heat pump', false],
    ]);
  });

  check('a file is opened as the answer to its question, and not where it is only similar', 'ready', async (page) => {
    await search(page);
    await page.keyboard.press('Enter');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press(' ');
    await page.getByRole('button', { name: 'Find similar' }).click();
    await page.getByText('Similar to heat-pump-comparison.md').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Good result' }).count(), 0);
    await page.getByRole('button', { name: 'Open', exact: true }).first().click();
    const asked = await page.evaluate(() => window.fake.calls);
    const opened = asked.filter(([what]) => what === 'open').map(([, , question]) => question);
    assert.deepEqual(opened, ['heat pump', null]);
  });

  check('why a mark stays as it was is said', 'storm', async (page) => {
    await search(page);
    await page.keyboard.press('Control+d');
    await page.getByRole('status').getByText('The mark of heat-pump-comparison.md stays as it was').waitFor();
    assert.equal(await list(page).getByRole('option', { name: /Marked good/ }).count(), 0);
  });

  check('files alike are one result, which opens to all of them', 'ready', async (page) => {
    await search(page);
    await list(page).getByText('and 1 file with the same passage').waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Alt+ArrowDown');
    assert.equal(await list(page).getByRole('option').count(), 8);
    await page.keyboard.press('ArrowDown');
    assert.match(await selected(page).textContent(), /replacement \(1\)\.pdf.*identical copy/);
    await page.keyboard.press('Enter');
    await page.keyboard.press('Alt+ArrowUp');
    assert.match(await selected(page).textContent(), /and 3 identical copies/);
    assert.equal(await list(page).getByRole('option').count(), 5);

    await list(page).getByText('and 3 identical copies').dblclick();
    assert.equal(await list(page).getByRole('option').count(), 5, 'shown, then hidden; not opened');
    await page.getByRole('button', { name: 'Show 3 more' }).click();
    await list(page).getByRole('option', { name: 'offer.pdf' }).click();
    await page.getByRole('button', { name: 'Show in folder' }).click();
    assert.deepEqual(
      (await calls(page)).map(([what, path]) => `${what} ${path.split('/').pop()}`),
      ['open quotation-heating-system-replacement (1).pdf', 'reveal offer.pdf'],
    );
  });

  check('hints of keys are there whole or not at all, beside all that can be pressed', 'ready', async (page) => {
    await searchAlike(page);
    await page.keyboard.press('Control+d');
    await list(page).getByRole('option', { name: /Marked good/ }).waitFor();
    const seen = [];
    for (let width = 840; width <= 1300; width += 5) {
      await page.setViewportSize({ width, height: 700 });
      assert.deepEqual(await sticksOut(page), [], `${width}`);
      const [whole, halved] = await page.evaluate(() => {
        const { bottom, right } = document.querySelector('.hints').getBoundingClientRect();
        const places = [...document.querySelectorAll('.hint')].map((hint) => hint.getBoundingClientRect());
        const inside = places.filter(({ top, width }) => width > 0 && top < bottom - 1);
        const whole = inside.filter((hint) => hint.right <= right + 1 && hint.bottom <= bottom + 1);
        return [whole.length, inside.length - whole.length];
      });
      assert.equal(halved, 0, `${width}`);
      seen.push(whole);
    }
    assert.deepEqual([...new Set(seen)].toSorted(), [0, 1, 2]);
  });

  check('is read out in the order that one wants to hear', 'ready', async (page) => {
    await searchAlike(page);
    const said = (await list(page).ariaSnapshot()).matchAll(/^ +- '?option "([^"]*)"/gm);
    const [first, second, copy] = [...said].map(([, name]) => name);
    assert.match(first, /^heat-pump-comparison\.md, in Documents\/House\/Heating\. Heat pump comparison › Air to water\. The air-to-water heat pump needs .* after 31 years\. By words \+ meaning\. Changed 14 Mar 2025\.$/);
    assert.match(second, /^quotation-[\w-]+\.pdf, in Documents\/House\/Offers\/2025\. Page 12, Quotation › Scope of work\. Removal .*\. And 3 identical copies\.$/);
    assert.equal(copy, 'quotation-heating-system-replacement (1).pdf, in Documents/House/Offers/2025. Identical copy.');
    const option = selected(page);
    assert.deepEqual(
      await Promise.all(['aria-posinset', 'aria-setsize'].map((name) => option.getAttribute(name))),
      ['3', '8'],
    );
  });

  check('a file found by its name alone says so', 'ready', async (page) => {
    await search(page);
    const last = list(page).getByRole('option').last();
    assert.match(await last.textContent(), /running-costs\.xlsx/);
    const reason = last.getByText('found by its name');
    assert.match(await reason.getAttribute('title'), /^Name: /);
  });

  check('the selected file is in sight', 'ready', async (page) => {
    await search(page);
    for (let i = 0; i < 4; i += 1) await page.keyboard.press('ArrowDown');
    const inSight = await selected(page).evaluate((option) => {
      const own = option.getBoundingClientRect();
      const list = option.parentElement.getBoundingClientRect();
      return own.bottom <= list.bottom + 1 && own.top >= list.top - 1;
    });
    assert.ok(inSight);
  });

  check('a file that cannot be opened is said so', 'ready', async (page) => {
    await box(page).fill('tariff');
    await page.getByText('1 file ·').waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('status').getByText('tariff change.eml could not be opened').waitFor();
  });

  check('nothing found and a failed search each say so', 'ready', async (page) => {
    await box(page).fill('zzz');
    await page.getByText('Nothing found for “zzz”').waitFor();
    await box(page).fill('fail:');
    await page.getByText('The index is being rebuilt. Try again in a minute.').waitFor();
  });

  check('old results stay until the new ones are there', 'ready', async (page) => {
    await search(page);
    await page.evaluate(() => {
      window.fake.answerDelayMs = 300;
      window.emptied = false;
      new MutationObserver(() => {
        if (!document.querySelector('[role=option]')) window.emptied = true;
      }).observe(document.body, { childList: true, subtree: true });
    });
    await box(page).fill('tariff');
    await page.getByText('1 file ·').waitFor();
    assert.equal(await page.evaluate(() => window.emptied), false);
  });

  check('says when words alone are matched', 'problems', async (page) => {
    await search(page);
    await page.getByText('The model is missing: matching words only.').waitFor();
  });
});

describe('indexing', () => {
  check('shows how far, how fast and how long, then that all is done', 'indexing', async (page) => {
    const bar = page.getByRole('progressbar', { name: 'Indexing' });
    assert.equal(await bar.getAttribute('aria-valuenow'), '1204');
    assert.equal(await bar.getAttribute('aria-valuemax'), '5170');
    assert.equal(
      await bar.getAttribute('aria-valuetext'),
      '1,204 of 5,170 files, 38 files/s · 2 min left',
    );
    const share = await bar.evaluate((element) => {
      const done = element.firstElementChild.getBoundingClientRect().width;
      return done / element.getBoundingClientRect().width;
    });
    assert.ok(share > 0.05 && share < 0.3, `the bar is drawn to its share, not ${share}`);
    await page.getByText('heat-pump-quotation-and-annexes-final.pdf').waitFor();
    await scan(page, 'watching', { indexing: null });
    await page.waitForFunction(
      () => document.querySelector('[role=progressbar]')?.ariaValueNow === '5170',
    );
    await page.getByText('Up to date').waitFor();
    assert.equal(await bar.count(), 0);
  });

  check('is not up to date while folders are looked through', 'ready', async (page) => {
    await page.getByText('Up to date').waitFor();
    await scan(page, 'scanning');
    await page.getByText('Looking for changes…').waitFor();
    assert.equal(await page.getByText('Up to date').count(), 0);
    await scan(page, 'watching');
    await page.getByText('Up to date').waitFor();
  });

  check('searches again by itself when more can be found', 'indexing', async (page) => {
    await search(page);
    await page.getByText('searched 1,204 of 5,170 files (860 by meaning)').waitFor();
    await page.keyboard.press('ArrowDown');
    await list(page).evaluate((list) => list.scrollTo({ top: 40 }));
    await push(page, { coverage: { known: 5170, searched: 5170, meaning: 5170 } });
    await page.getByText('searched 5,170 files').waitFor();
    assert.match(await selected(page).textContent(), /quotation/);
    assert.equal(await page.evaluate(() => window.fake.searches.length), 2);
    assert.equal(await list(page).evaluate((list) => list.scrollTop), 40);
  });
});

describe('folders', () => {
  check('a folder is let go only when confirmed', 'ready', async (page) => {
    const folders = page.getByRole('region', { name: 'Folders' });
    await folders.getByRole('button', { name: 'Stop following Notes' }).click();
    await page.keyboard.press('Enter');
    await folders.getByText('871 indexed').waitFor();
    assert.deepEqual(await calls(page), []);
    await page.keyboard.press('Enter');
    await folders.getByRole('button', { name: 'Stop following', exact: true }).click();
    await page.getByRole('status').getByText('Notes is no longer followed').waitFor();
    assert.deepEqual(await calls(page), [['forget', '/home/you/Notes']]);
  });

  check('a folder tells its place and size, and is read again', 'ready', async (page) => {
    const folders = page.getByRole('region', { name: 'Folders' });
    await folders.getByRole('button', { name: 'Notes', exact: true }).click();
    await folders.getByText('/home/you/Notes').waitFor();
    await folders.getByText('768 MB of files').waitFor();
    await folders.getByRole('button', { name: 'Read all again' }).click();
    await page.getByRole('status').getByText('Notes: 871 files are read again').waitFor();
    await folders.getByRole('button', { name: 'Archive 2019', exact: true }).click();
    assert.ok(await folders.getByRole('button', { name: 'Read all again' }).last().isDisabled());
  });

  check('a folder is paused, says what waits there, and goes on', 'indexing', async (page) => {
    const folders = page.getByRole('region', { name: 'Folders' });
    await folders.getByRole('button', { name: 'Notes', exact: true }).click();
    await folders.getByRole('button', { name: 'Pause' }).click();
    await folders.getByText('Paused. 871 files wait.').waitFor();
    await folders.getByRole('button', { name: 'Resume' }).click();
    await folders.getByText('871 queued').waitFor();
    assert.equal(await folders.getByText('Paused').count(), 0);
    const asked = await page.evaluate(() => window.fake.calls);
    assert.deepEqual(asked, [['pause', '/home/you/Notes', true], ['pause', '/home/you/Notes', false]]);
  });

  check('the whole window is a target while something hangs over it', 'ready', async (page) => {
    await drag(page, { type: 'enter', paths: ['/home/you/Music', '/home/you/Films'] });
    await page.getByText('Drop to add').waitFor();
    await drag(page, { type: 'leave' });
    await page.getByText('Drop to add').waitFor({ state: 'detached' });
    await drag(page, { type: 'enter', paths: ['/home/you/Music', '/home/you/Films'] });
    await drag(page, { type: 'drop', paths: ['/home/you/Music', '/home/you/Films'] });
    await page.getByRole('status').getByText('Added Music and Films').waitFor();
    assert.equal(await page.getByText('Drop to add').count(), 0);
    await page.getByRole('region', { name: 'Folders' }).getByText('Films').waitFor();
  });

  check('what was refused is named, with the reason', 'first', async (page) => {
    await drag(page, { type: 'drop', paths: ['/proc/1'] });
    const status = page.getByRole('status');
    await status.getByText('Nothing was added').waitFor();
    await status.getByText('/proc/1 (it holds no files of yours)').waitFor();
    await status.getByRole('button', { name: 'Dismiss' }).click();
    await status.getByText('Nothing was added').waitFor({ state: 'detached' });
  });

  check('a problem is an alert with its mend, until dismissed', 'problems', async (page) => {
    await page.getByRole('alert').getByText('Free some space').waitFor();
    await page.getByRole('button', { name: /^Dismiss: The disk is full/ }).click();
    assert.equal(await page.getByRole('alert').count(), 0);
  });
});

describe('settings', () => {
  const open = async (page) => {
    const dialog = page.getByRole('dialog', { name: 'Settings' });
    await page.keyboard.press('Control+,');
    // Lost where another dialog was just closing: a person presses it again.
    await dialog.waitFor({ timeout: 2000 }).catch(() => page.keyboard.press('Control+,'));
    await dialog.getByText('/home/you/.config/rummage/settings.toml').waitFor();
    return dialog;
  };
  const number = (dialog, name) => dialog.getByRole('spinbutton', { name, exact: true });

  check('a number out of its limits is refused beside its field', 'ready', async (page) => {
    const dialog = await open(page);
    const tokens = number(dialog, 'Tokens per model call');
    await tokens.fill('9');
    await dialog.getByText('Enter a whole number from 32 to 16,384.').waitFor();
    assert.equal(await tokens.getAttribute('aria-invalid'), 'true');
    assert.deepEqual(await calls(page), []);
    await tokens.fill('128');
    await dialog.getByText('Saved').waitFor();
    assert.equal(await tokens.getAttribute('aria-invalid'), null);
  });

  check('a number is left to the program, or taken from it', 'ready', async (page) => {
    const dialog = await open(page);
    const pool = number(dialog, 'Pool size');
    assert.ok(await pool.isDisabled());
    assert.equal(await pool.inputValue(), '2');
    const auto = dialog.getByRole('checkbox', { name: 'Auto (2) for Pool size' });
    await auto.uncheck();
    await dialog.getByText('Saved').waitFor();
    await pool.fill('4');
    await page.waitForFunction(() => window.fake.calls.length === 2);
    await auto.check();
    await page.waitForFunction(() => window.fake.calls.length === 3);
    const saved = await page.evaluate(() =>
      window.fake.calls.map(([, settings]) => settings.poolSize),
    );
    assert.deepEqual(saved, [2, 4, 'auto']);
  });

  check('what the model runs on is chosen, and why it does not is said', 'ready', async (page) => {
    const dialog = await open(page);
    await dialog.getByRole('radio', { name: 'CUDA' }).check();
    await dialog.getByText('Needs an ONNX Runtime that has it').waitFor();
    await dialog.getByText(/^The model runs on the processor, not on CUDA: /).waitFor();
    await dialog.getByRole('radio', { name: 'Processor' }).check();
    await dialog.getByText('Saved').waitFor();
    const saved = await page.evaluate(() => window.fake.calls.map(([, settings]) => settings.provider));
    assert.deepEqual(saved, ['cuda', 'cpu']);
  });

  check('text in pictures is read where Tesseract is there', 'ready', async (page) => {
    const dialog = await open(page);
    await dialog.getByText('With Tesseract, which is installed').waitFor();
    await dialog.getByRole('checkbox', { name: 'Read text in pictures and scans' }).check();
    await dialog.getByText('Saved').waitFor();
    assert.equal(await page.evaluate(() => window.fake.calls.at(-1)[1].ocr), true);
  });

  check('and where it is not, that is said', 'problems', async (page) => {
    const dialog = await open(page);
    await dialog.getByText('This needs Tesseract, which is not found on this computer.').waitFor();
    const ocr = dialog.getByRole('checkbox', { name: 'Read text in pictures and scans' });
    assert.ok(await ocr.isDisabled());
  });

  check('keys that summon are pressed, and refused beside their field', 'ready', async (page) => {
    const dialog = await open(page);
    const keys = dialog.getByRole('textbox', { name: 'Summon Rummage' });
    assert.equal(await keys.inputValue(), 'Ctrl+Alt+Space');
    await keys.press('Control+Alt+t');
    await dialog.getByText('Another program has taken Ctrl+Alt+T already').waitFor();
    assert.equal(await keys.inputValue(), 'Ctrl+Alt+T');
    await keys.press('Control+Shift+k');
    await dialog.getByText('Saved').waitFor();
    assert.equal(await keys.getAttribute('aria-invalid'), null);
    await dialog.getByRole('button', { name: 'No keys' }).click();
    await page.waitForFunction(() => window.fake.calls.at(-1)[1].shortcut === '');
    await keys.press('Tab');
    await keys.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  });

  check('what the desktop cannot do is said', 'problems', async (page) => {
    const dialog = await open(page);
    await dialog.getByText('This desktop has no tray, so closing the window ends').waitFor();
    await dialog.getByText('Another program has taken Ctrl+Alt+Space already').waitFor();
  });

  check('a window that is summoned is ready to be asked', 'ready', async (page) => {
    await search(page);
    await open(page);
    await page.evaluate(() => window.fake.summon());
    assert.equal(await page.getByRole('dialog').count(), 0);
    await page.keyboard.type('tariff');
    assert.equal(await box(page).inputValue(), 'tariff');
  });

  check('a passage is no longer than the model reads', 'ready', async (page) => {
    const dialog = await open(page);
    await dialog.getByRole('checkbox', { name: 'Auto (256) for Passage size' }).uncheck();
    await number(dialog, 'Passage size').fill('300');
    await dialog.getByText('Enter a whole number from 64 to 256.').waitFor();
    await number(dialog, 'Passage size').fill('128');
    await page.waitForFunction(() => window.fake.calls.at(-1)[1].passageTokens === 128);
  });

  check('what the program refuses stands beside its field', 'ready', async (page) => {
    const dialog = await open(page);
    const ignore = dialog.getByRole('textbox', { name: 'Ignore list' });
    await ignore.fill('*.tmp\n[a-z');
    await ignore.blur();
    await dialog.getByText('A bracket is not closed.').waitFor();
    assert.equal(await ignore.inputValue(), '*.tmp\n[a-z');
    await ignore.fill('*.tmp\n\n  [a-z]  ');
    await ignore.blur();
    await dialog.getByText('Saved').waitFor();
    assert.deepEqual(await page.evaluate(() => window.fake.calls.at(-1)[1].ignore), [
      '*.tmp',
      '[a-z]',
    ]);
  });

  check('this computer is measured, and auto goes by that', 'ready', async (page) => {
    const dialog = await open(page);
    await dialog.getByRole('button', { name: 'Measure' }).click();
    const rows = dialog.getByRole('table').getByRole('row');
    await rows.first().waitFor();
    assert.deepEqual(await rows.allInnerTexts(), [
      'Workers\tThreads\tTokens a call\tPassages', '2\t1\t64\t158/s', '2\t1\t256\t141/s', '2\t1\t4,096\t113/s', '1\t2\t256\t108/s',
    ]);
    await dialog.getByText('Auto (2, measured)').first().waitFor();
  });

  check('measuring tells each turn, is stopped, and goes on while the settings are closed', 'ready', async (page) => {
    const dialog = await open(page);
    await page.evaluate(() => (window.fake.turnMs = 60_000));
    await dialog.getByRole('button', { name: 'Measure' }).click();
    await dialog.getByText('Turn 1 of 5 at most: 1 worker, 2 threads, 256 tokens a call: 108/s').waitFor();
    const bar = dialog.getByRole('progressbar', { name: 'Measure this computer' });
    assert.deepEqual(
      await Promise.all(['aria-valuenow', 'aria-valuemax'].map((name) => bar.getAttribute(name))),
      ['1', '5'],
    );
    await page.keyboard.press('Escape');
    await open(page);
    await dialog.getByRole('button', { name: 'Stop' }).click();
    await dialog.getByRole('button', { name: 'Measure' }).waitFor();
    assert.equal(await dialog.getByRole('table').count(), 0);
  });

  check('what keeps it from being measured is said', 'storm', async (page) => {
    const dialog = await open(page);
    await dialog.getByRole('button', { name: 'Measure' }).click();
    await dialog.getByText('This computer is being measured already').waitFor();
  });

  const modelRow = (dialog, name) =>
    dialog.locator('.setting').filter({ has: dialog.page().getByText(name, { exact: true }) });
  const asked = async (page) => (await calls(page)).map((call) => call.join(' '));

  check('another model is used once its cost was said, and is shown until it is ready', 'ready', async (page) => {
    const dialog = await open(page);
    const [first, other] = ['all-MiniLM-L6-v2 (int8)', 'paraphrase-multilingual-MiniLM-L12-v2'];
    await modelRow(dialog, first).getByText('English · 384 dimensions · 23.7 MB, installed · Apache-2.0').waitFor();
    await modelRow(dialog, first).getByText('In use', { exact: true }).waitFor();
    const use = dialog.getByRole('button', { name: `Use: ${other}` });
    await use.click();
    await modelRow(dialog, other).getByText('All passages are embedded once more').waitFor();
    await page.keyboard.press('Enter');
    assert.ok(await use.evaluate((element) => element === document.activeElement));
    assert.deepEqual(await asked(page), []);
    await use.click();
    await dialog.getByRole('button', { name: 'Use it' }).click();
    await modelRow(dialog, other).getByText('It has read 1,204 of 5,183 files.').waitFor();
    await modelRow(dialog, first).getByText('Still in use').waitFor();
    const bar = dialog.getByRole('progressbar', { name: `Preparing ${other}` });
    assert.equal(await bar.getAttribute('aria-valuenow'), '1204');
    await push(page, { switching: null, model: { id: other, name: other, dims: 384, state: 'ready', message: null } });
    await modelRow(dialog, other).getByText('In use', { exact: true }).waitFor();
    await dialog.getByRole('button', { name: 'Use: all-MiniLM-L6-v2', exact: true }).waitFor();
    assert.deepEqual(await asked(page), [`useModel ${other}`]);
  });

  check('a switch of models is stopped', 'ready', async (page) => {
    const dialog = await open(page);
    const other = 'paraphrase-multilingual-MiniLM-L12-v2';
    await dialog.getByRole('button', { name: `Use: ${other}` }).click();
    await dialog.getByRole('button', { name: 'Use it' }).click();
    await dialog.getByRole('button', { name: `Stop: ${other}` }).click();
    await dialog.getByRole('button', { name: `Use: ${other}` }).waitFor();
    assert.deepEqual(await asked(page), [`useModel ${other}`, 'useModel all-MiniLM-L6-v2']);
  });

  check('why a switch of models came to nothing stands beside that model', 'ready', async (page) => {
    const dialog = await open(page);
    const other = 'paraphrase-multilingual-MiniLM-L12-v2';
    await page.evaluate((id) => (window.fake.chosen = id), other);
    const problem = { kind: 'switching', message: 'The model stays the one it was: no memory.', mend: '' };
    await push(page, { problems: [problem], switching: { id: other, name: other, done: 0, total: 1 } });
    await modelRow(dialog, other).getByText('It has read 0 of 1 file.').waitFor();
    await push(page, { switching: null });
    await modelRow(dialog, other).getByText('The model stays the one it was: no memory.').waitFor();
  });

  check('two models together are fetched only when where from and how much was said', 'ready', async (page) => {
    const dialog = await open(page);
    const better = modelRow(dialog, 'Better: all-MiniLM-L6-v2 and bge-small-en-v1.5 together');
    await better.getByText('Two models read each passage: indexing is half as fast').waitFor();
    const fetch = dialog.getByRole('button', { name: 'Fetch…: better' });
    await fetch.click();
    await better.getByText(/bge-small-en-v1\.5, 34\.7 MB, from https:\/\/hub\.example\//).waitFor();
    await page.keyboard.press('Enter');
    assert.deepEqual(await asked(page), []);
    await fetch.click();
    await page.evaluate(() => (window.fake.turnMs = 60_000));
    await dialog.getByRole('button', { name: 'Fetch it' }).click();
    await better.getByText('bge-small-en-v1.5: 13.9 MB of 34.7 MB').waitFor();
    assert.ok(await dialog.getByRole('button', { name: 'Fetch…: gte-small' }).isDisabled());
    // It goes on while the settings are closed.
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await open(page);
    await dialog.getByRole('button', { name: 'Stop: better' }).click();
    await fetch.click();
    await page.evaluate(() => (window.fake.turnMs = 1));
    await dialog.getByRole('button', { name: 'Fetch it' }).click();
    await better.getByText('It is here now.').waitFor();
    await dialog.getByRole('button', { name: 'Use: better' }).waitFor();
    assert.deepEqual(await asked(page), ['fetchModel better', 'fetchModel better']);
  });

  check('a model of one’s own is removed only when confirmed', 'ready', async (page) => {
    const dialog = await open(page);
    const [first, other] = ['all-MiniLM-L6-v2', 'paraphrase-multilingual-MiniLM-L12-v2'];
    const remove = dialog.getByRole('button', { name: `Remove: ${other}` });
    assert.equal(await dialog.getByRole('button', { name: `Remove: ${first}`, exact: true }).count(), 0);
    await remove.click();
    await modelRow(dialog, other).getByText('Its files go (118 MB), and with them').waitFor();
    await page.keyboard.press('Enter');
    assert.ok(await remove.evaluate((element) => element === document.activeElement));
    assert.deepEqual(await asked(page), []);
    await remove.click();
    await dialog.getByRole('button', { name: 'Remove it' }).click();
    await modelRow(dialog, other).waitFor({ state: 'detached' });
    assert.deepEqual(await asked(page), [`removeModel ${other}`]);
    const importing = dialog.getByRole('button', { name: 'Import…' });
    assert.ok(await importing.evaluate((element) => element === document.activeElement));
  });

  check('models are compared, and what came of it stays', 'ready', async (page) => {
    const dialog = await open(page);
    await page.evaluate(() => (window.fake.turnMs = 60_000));
    await dialog.getByRole('button', { name: 'Compare' }).click();
    await dialog.getByText('Step 1 of 6: all-MiniLM-L6-v2 (int8), how fast it reads.').waitFor();
    assert.ok(await dialog.getByRole('button', { name: 'Measure' }).isDisabled());
    await dialog.getByRole('button', { name: 'Stop', exact: true }).click();
    await dialog.getByRole('button', { name: 'Compare' }).waitFor();
    assert.equal(await dialog.getByRole('table').count(), 0);
    await page.evaluate(() => (window.fake.turnMs = 1));
    await dialog.getByRole('button', { name: 'Compare' }).click();
    const row = dialog.getByRole('row').filter({ hasText: 'all-MiniLM-L6-v2' });
    const cells = ['81 %', '141/s', '3.4 ms', '103 MB', '120 MB'];
    await row.getByRole('cell', { name: '81 %' }).waitFor();
    assert.deepEqual(await row.getByRole('cell').allTextContents(), cells);
    await dialog.getByText('Quality by 12 questions of yours').waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await open(page);
    await row.waitFor();
    // What it was judged by can be forgotten.
    await dialog.getByText('14 opened, 5 marked good, kept on this computer').waitFor();
    await dialog.getByRole('button', { name: 'Forget them' }).click();
    await row.waitFor({ state: 'detached' });
    await dialog.getByRole('button', { name: 'Compare' }).click();
    await dialog.getByText('Answers are not judged yet').waitFor();
    assert.equal(await row.getByRole('cell').first().textContent(), '–');
  });

  check('and where they cannot be, that is said', 'storm', async (page) => {
    const dialog = await open(page);
    await dialog.getByRole('button', { name: 'Compare' }).click();
    await dialog.getByText('This computer is being measured already. Wait for its end.').waitFor();
  });

  check('a model is imported from a folder', 'ready', async (page) => {
    const dialog = await open(page);
    await dialog.getByRole('button', { name: 'Import…' }).click();
    await modelRow(dialog, 'my-model').getByText('It is here now.').waitFor();
    await dialog.getByRole('button', { name: 'Use: my-model' }).waitFor();
  });

  check('why a model is not imported, used or fetched is said beside it', 'storm', async (page) => {
    const dialog = await open(page);
    await dialog.getByRole('button', { name: 'Import…' }).click();
    await modelRow(dialog, 'A model of your own').getByText('it has no ONNX file').waitFor();
    await dialog.getByRole('button', { name: 'Fetch…: gte-small' }).click();
    await dialog.getByRole('button', { name: 'Fetch it' }).click();
    await modelRow(dialog, 'gte-small').getByText('The hub cannot be reached. Is there a network?').waitFor();
    const other = 'paraphrase-multilingual-MiniLM-L12-v2';
    await dialog.getByRole('button', { name: `Use: ${other}` }).click();
    await dialog.getByRole('button', { name: 'Use it' }).click();
    await modelRow(dialog, other).getByText('Another process is indexing. Wait for it.').waitFor();
  });

  check('all that was indexed is cleared only when confirmed', 'ready', async (page) => {
    await search(page);
    await page.keyboard.press('Enter');
    const dialog = await open(page);
    const clear = dialog.getByRole('button', { name: 'Clear…' });
    await clear.click();
    await dialog.getByText(/the list of 3 folders.*Your files stay as they are/).waitFor();
    await page.keyboard.press('Enter');
    assert.ok(await clear.evaluate((element) => element === document.activeElement));
    assert.deepEqual((await calls(page)).map(([what]) => what), ['open']);
    await clear.click();
    await dialog.getByRole('button', { name: 'Clear the index' }).click();
    await page.getByText('Drop folders here').waitFor();
    await page.getByRole('status').getByText('All that was indexed is cleared').waitFor();
    assert.equal(await page.getByRole('dialog').count(), 0);
    assert.equal(await page.evaluate(() => localStorage.getItem('searches')), null);
  });

  check('and where it cannot be, that is said', 'storm', async (page) => {
    const dialog = await open(page);
    await dialog.getByRole('button', { name: 'Clear…' }).click();
    await dialog.getByRole('button', { name: 'Clear the index' }).click();
    await page.getByRole('status').getByText('The index is not cleared').waitFor();
    await page.getByRole('status').getByText('Wait for it.').waitFor();
  });

  check('closing gives the focus back', 'ready', async (page) => {
    const button = page.getByRole('button', { name: 'Settings' });
    await button.click();
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.ok(await button.evaluate((element) => element === document.activeElement));
  });
});

test('the sample data is in no bundle that ships', async () => {
  const holdsSamples = async (mode) => {
    const folder = await buildWindow(mode);
    const names = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = names.filter((entry) => entry.isFile());
    const texts = await Promise.all(
      files.map((file) => readFile(join(file.parentPath, file.name), 'utf8')),
    );
    await rm(folder, { recursive: true });
    return texts.some((text) => text.includes('heat-pump-comparison'));
  };
  assert.deepEqual([await holdsSamples('fake'), await holdsSamples('production')], [true, false]);
});

describe('at every size', () => {
  for (const [width, height] of [
    [1280, 800],
    [1100, 760],
    [640, 720],
    [550, 380],
  ])
    check(
      `nothing sticks out at ${width} × ${height}`,
      'indexing',
      async (page) => {
        await searchAlike(page);
        assert.deepEqual(await sticksOut(page), []);
        await page.getByRole('progressbar').waitFor();
        assert.ok((await list(page).boundingBox()).height > 150, 'room for results');
      },
      { width, height },
    );

  check(
    'a narrow window shows its folders on demand',
    'ready',
    async (page) => {
      const folders = page.getByRole('region', { name: 'Folders' });
      assert.equal(await folders.isVisible(), false);
      await page.getByRole('button', { name: 'Folders' }).click();
      await folders.getByText('Notes').waitFor();
      await page.keyboard.press('Escape');
      await folders.waitFor({ state: 'hidden' });
    },
    { width: 640, height: 720 },
  );
});
