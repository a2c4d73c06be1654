// `npm run setup`: everything the programs need, fetched, checked and built.
// With `--tests`, what the tests need besides.

import { setUp } from './setup/steps.mjs';
import { reportAndExit } from './setup/shell.mjs';

await setUp({ forTests: process.argv.includes('--tests') }).catch(reportAndExit);
