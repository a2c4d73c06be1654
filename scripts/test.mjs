// `npm test`: sets up what the tests need, then runs every suite, also after
// one has failed. Names after `--` choose suites. The last line is the sum.

import { explain, say } from './setup/shell.mjs';
import { setUp } from './setup/steps.mjs';
import { inWords, judged, sum } from './suites/counts.mjs';
import { runSuite, SUITES } from './suites/suites.mjs';

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !SUITES.some((suite) => suite.name === name));
if (unknown.length > 0) {
  process.stderr.write(`No suite is called ${unknown.join(', ')}; there are: ${SUITES.map(({ name }) => name).join(', ')}\n`);
  process.exit(2);
}

const results = [];
try {
  await setUp({ forTests: true });
  for (const suite of SUITES.filter(({ name }) => chosen.length === 0 || chosen.includes(name))) {
    say(`\nTesting Rummage · ${suite.name}`);
    results.push({ name: suite.name, counts: await runSuite(suite) });
  }
} catch (error) {
  process.stderr.write(`\n${explain(error)}\n`);
  results.push({ name: 'set-up', counts: judged(null, 1) });
}

say('');
for (const { name, counts } of results) say(`${name}: ${inWords(counts)}`);
const total = sum(results.map(({ counts }) => counts));
say(inWords(total));
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
