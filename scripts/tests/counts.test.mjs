import assert from 'node:assert/strict';
import { test } from 'node:test';

import { inWords, judged, ofCargoTest, ofNextest, ofNodeTest, ofVitest, sum } from '../suites/counts.mjs';

function check(read, text, passed, failed, skipped) {
  assert.deepEqual(read(text), { passed, failed, skipped });
}

test('nextest: all that ran and did not pass has failed', () => {
  check(ofNextest, '     Summary [   0.017s] 4 tests run: 4 passed, 0 skipped', 4, 0, 0);
  check(ofNextest, '     Summary [  12.1s] 1 test run: 1 passed (1 slow), 2 skipped\n', 1, 0, 2);
  check(ofNextest, 'x\n\u001b[31;1m     Summary\u001b[0m [   3s] \u001b[1m9\u001b[0m tests run: \u001b[1m6\u001b[0m passed (1 flaky), 1 failed, 1 exec failed, 1 timed out, 3 skipped\n', 6, 3, 3);
  check(ofNextest, '     Summary [   3s] 5/9 tests run: 4 passed, 1 failed, 0 skipped', 4, 1, 0);
  assert.equal(ofNextest('error: could not compile'), null);
});

test('cargo test: the sum of its programs', () => {
  check(ofCargoTest, [
    'test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s',
    'test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s',
  ].join('\n'), 4, 2, 1);
  assert.equal(ofCargoTest('error: could not compile'), null);
});

test('node --test: either reporter, cancelled counts as failed', () => {
  check(ofNodeTest, 'ℹ tests 5\nℹ pass 3\nℹ fail 1\nℹ cancelled 1\nℹ skipped 0\nℹ todo 0\n', 3, 2, 0);
  check(ofNodeTest, '# pass 9\n# fail 0\n# tests 4\n# pass 2\n# fail 0\n# cancelled 0\n# skipped 2\n# todo 0\n', 2, 0, 2);
  assert.equal(ofNodeTest('SyntaxError'), null);
});

test('vitest: its own report, none when it broke', () => {
  check(ofVitest, '{"numPassedTests":7,"numFailedTests":1,"numPendingTests":2,"numTodoTests":1}', 7, 1, 3);
  assert.equal(ofVitest(''), null);
});

test('a bad end is a failure, and so is a suite without tests', () => {
  const counts = { passed: 3, failed: 0, skipped: 0 };
  assert.equal(judged(counts, 0).failed, 0);
  assert.equal(judged(counts, 101).failed, 1);
  assert.equal(judged({ ...counts, failed: 2 }, 101).failed, 2);
  assert.equal(judged(null, 0).failed, 1);
  assert.equal(judged({ passed: 0, failed: 0, skipped: 0 }, 0).failed, 1);
});

test('the sum in words', () => {
  const total = sum([{ passed: 2, failed: 0, skipped: 0 }, { passed: 1, failed: 1, skipped: 0 }]);
  assert.equal(inWords(total), '3 passed, 1 failed');
  assert.equal(inWords({ ...total, skipped: 4 }), '3 passed, 1 failed, 4 skipped');
});
