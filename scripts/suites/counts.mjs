// How many tests ran and how they ended, read from what a test program wrote.
// Every reader returns `{ passed, failed, skipped }`, or null when the text
// holds no summary.

/** The last line `Summary [   1.2s] 9 tests run: 7 passed (1 slow), 1 failed, 1 timed out, 3 skipped`. */
export function ofNextest(text) {
  const summary = plain(text).match(/^ *Summary \[.*$/gm)?.pop();
  const run = /\] +(\d+)(?:\/\d+)? tests? run:/.exec(summary ?? '')?.[1];
  if (run === undefined) return null;
  const [passed, skipped] = ['passed', 'skipped'].map((word) => count(summary, word));
  // Whatever ran and did not pass has failed, whichever of nextest's words says so.
  return { passed, failed: Number(run) - passed, skipped };
}

/** cargo test: one `test result:` line a test program. */
export function ofCargoTest(text) {
  return sum([...plain(text).matchAll(/^test result: .*$/gm)].map(([line]) => (
    { passed: count(line, 'passed'), failed: count(line, 'failed'), skipped: count(line, 'ignored') }
  )));
}

/** node --test: closing lines `ℹ pass 3` or `# pass 3`, by reporter. */
export function ofNodeTest(text) {
  const last = (word) => plain(text).match(new RegExp(`^(?:ℹ|#) ${word} (\\d+)$`, 'gm'))?.pop();
  if (!last('pass')) return null;
  const [pass, fail, cancelled, skipped, todo] = ['pass', 'fail', 'cancelled', 'skipped', 'todo']
    .map((word) => Number(/\d+$/.exec(last(word) ?? '0')[0]));
  return { passed: pass, failed: fail + cancelled, skipped: skipped + todo };
}

/** vitest's JSON report. */
export function ofVitest(text) {
  let report;
  try {
    report = JSON.parse(text);
  } catch {
    return null;
  }
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** The sum of several counts; null for none. */
export function sum(counts) {
  if (counts.length === 0) return null;
  const add = (word) => counts.reduce((total, one) => total + one[word], 0);
  return { passed: add('passed'), failed: add('failed'), skipped: add('skipped') };
}

/**
 * A suite's result. A program that ends badly has failed whatever it counted;
 * so has one that ran no test.
 */
export function judged(counts, exitCode) {
  const { passed, failed, skipped } = counts ?? { passed: 0, failed: 0, skipped: 0 };
  const isBad = exitCode !== 0 || passed + skipped === 0;
  return { passed, failed: failed === 0 && isBad ? 1 : failed, skipped };
}

/** `7 passed, 2 failed`, and `, 3 skipped` when any. */
export function inWords({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

function count(line, word) {
  return Number(new RegExp(`(\\d+) ${word}`).exec(line)?.[1] ?? 0);
}

/** Without the colours of a terminal. */
function plain(text) {
  return text.replace(/\u001b\[[\d;]*m/g, '');
}
