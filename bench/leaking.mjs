// What a leak costs: the same files indexed by ordinary workers and by workers
// that keep 5 MB more with every lease, turn and turn about. A leaking worker must
// be replaced at its soft limit, never reach the hard one, and cost next to nothing.
//
//   node bench/leaking.mjs CORPUS.jsonl [--turns 3] [--files N] [--megabytes 389]
//
// --megabytes: the soft limit; the hard one is twice that.

import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { writeCorpus } from './corpus.mjs';
import { build, program } from './programs.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    turns: { type: 'string', default: '3' },
    files: { type: 'string' },
    megabytes: { type: 'string', default: '389' },
  },
});
if (positionals.length !== 1) {
  console.error('node bench/leaking.mjs CORPUS.jsonl [--turns 3] [--files N] [--megabytes 389]');
  process.exit(2);
}
build(['leaky_worker']);

const dir = mkdtempSync(join(tmpdir(), 'rummage-leaking-'));
try {
  const folder = join(dir, 'files');
  const files = writeCorpus(positionals[0], folder, Number(values.files ?? Infinity));
  console.log(`${files} files, soft limit ${values.megabytes} MB`);
  const ratios = [];
  for (let turn = 1; turn <= Number(values.turns); turn++) {
    const sound = await index(`sound-${turn}`, program('rummage-worker'));
    const leaking = await index(`leaking-${turn}`, program('examples/leaky_worker'));
    ratios.push(leaking.rate / sound.rate);
    console.log(
      `turn ${turn}: ${sound.rate.toFixed(1)} passages/s sound, ${leaking.rate.toFixed(1)} leaking: ${(100 * ratios.at(-1)).toFixed(1)} %; ` +
        `${leaking.planned} replaced, ${leaking.crash} killed, at most ${leaking.most} MB in one worker`,
    );
  }
  ratios.sort((a, b) => a - b);
  console.log(`leaking / sound: median ${(100 * ratios[ratios.length >> 1]).toFixed(1)} %`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}

async function index(name, worker) {
  const data = join(dir, name);
  mkdirSync(data);
  writeFileSync(join(data, 'settings.toml'), `[pool]\nmemory_megabytes = ${values.megabytes}\n`);
  const command = spawn(program('rummage'), ['index', '--json', '--quiet', '--data', data, join(dir, 'files')], {
    env: { ...process.env, RUMMAGE_WORKER: worker },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  command.stdout.on('data', (bytes) => (printed += bytes));
  const ended = new Promise((resolve) => command.on('close', (code) => resolve({ code })));
  const seen = { most: 0, planned: 0, crash: 0 };
  let outcome = null;
  while (!outcome) {
    outcome = await Promise.race([ended, sleep(500).then(() => null)]);
    look(data, seen);
  }
  if (outcome.code !== 0) throw new Error(`${name}: the command failed with ${outcome.code}`);
  rmSync(data, { recursive: true, force: true });
  const report = JSON.parse(printed);
  return { ...seen, rate: report.passages.embedded / report.stages.embed };
}

function look(data, seen) {
  let status;
  try {
    status = JSON.parse(execFileSync(program('rummage'), ['status', '--json', '--data', data], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch {
    return; // The data folder is still being made.
  }
  const sizes = [...status.workers, ...status.pool.ends].map(({ memory_bytes }) => memory_bytes >> 20);
  seen.most = Math.max(seen.most, ...sizes);
  seen.planned = Math.max(seen.planned, status.restarts.planned);
  seen.crash = Math.max(seen.crash, status.restarts.crash);
}
