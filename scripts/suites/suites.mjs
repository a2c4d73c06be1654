// The test suites: what each runs and how its counts are read. Knows nothing
// of the set-up.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { spawn } from 'node:child_process';

import { ask, npm, ROOT } from '../setup/shell.mjs';
import { judged, ofCargoTest, ofNextest, ofNodeTest, ofVitest } from './counts.mjs';

const VITEST_REPORT = join(ROOT, 'target', 'setup', 'vitest.json');

export const SUITES = [
  { name: 'format', command: () => ['cargo', ['fmt', '--all', '--check']], counts: oneCheck },
  { name: 'rust', command: rustTests, counts: (text) => ofNextest(text) ?? ofCargoTest(text) },
  { name: 'scripts', command: () => nodeTests('scripts/tests'), counts: ofNodeTest },
  { name: 'ui:check', command: () => npmScript('ui:check'), counts: oneCheck },
  { name: 'ui:test', command: vitest, counts: vitestCounts },
  { name: 'ui:e2e', command: () => npmScript('ui:e2e'), counts: ofNodeTest },
  { name: 'endurance', command: endurance, counts: oneCheck, isHere: () => process.platform !== 'win32' },
  { name: 'desktop', command: desktopTests, counts: ofNodeTest, isHere: () => process.platform === 'linux' },
];

/** Runs a suite, its output shown as it comes; returns `{ passed, failed, skipped }`. */
export async function runSuite(suite) {
  if (suite.isHere && !suite.isHere()) return { passed: 0, failed: 0, skipped: 1 };
  const [name, args, options] = suite.command();
  const { text, exitCode } = await capture(name, args, options);
  return judged(suite.counts(text, exitCode), exitCode);
}

function capture(name, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(name, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    const chunks = [];
    for (const [stream, copy] of [[child.stdout, process.stdout], [child.stderr, process.stderr]]) {
      stream.on('data', (chunk) => {
        chunks.push(chunk);
        copy.write(chunk);
      });
    }
    child.on('error', (error) => resolve({ text: String(error), exitCode: 1 }));
    child.on('close', (code) => resolve({ text: Buffer.concat(chunks).toString(), exitCode: code ?? 1 }));
  });
}

/** A program that only says yes or no counts as one test. */
function oneCheck(_text, exitCode) {
  return exitCode === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
}

function rustTests() {
  const hasNextest = ask('cargo', ['nextest', '--version']) !== null;
  return hasNextest
    ? ['cargo', ['nextest', 'run', '--workspace', '--locked', '--no-fail-fast']]
    : ['cargo', ['test', '--workspace', '--locked', '--no-fail-fast', '--bins', '--lib', '--tests']];
}

function npmScript(script, ...further) {
  const command = npm(['run', '--silent', script, ...further]);
  return [command.name, command.args, { shell: command.shell }];
}

function vitest() {
  // A report of an earlier run must not be taken for this one's.
  mkdirSync(dirname(VITEST_REPORT), { recursive: true });
  rmSync(VITEST_REPORT, { force: true });
  return npmScript('ui:test', '--', '--reporter=default', '--reporter=json', `--outputFile.json=${VITEST_REPORT}`);
}

function vitestCounts() {
  return existsSync(VITEST_REPORT) ? ofVitest(readFileSync(VITEST_REPORT, 'utf8')) : null;
}

/** The bench of killed workers and commands, short: every passage is stored once. */
function endurance() {
  return [process.execPath, ['bench/endurance.mjs', '--passages', '3000', '--every', '0.7', '--ends', '3']];
}

/** One file at a time: three windows that index at once would only test the machine's patience. */
function desktopTests() {
  return nodeTests('tests/desktop', '--test-concurrency=1');
}

function nodeTests(folder, ...options) {
  const files = readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.test.mjs'))
    .map((name) => `${folder}/${name}`);
  return [process.execPath, ['--test', ...options, ...files]];
}
