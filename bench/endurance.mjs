// Whether Rummage comes through what kills it: the same files indexed undisturbed,
// then with a worker killed at random every few seconds, then with the command
// itself killed in between as well. Every passage must be stored exactly once.
//
//   node bench/endurance.mjs [--passages 200000] [--every 3] [--ends 20] [--release]
//
// --every: seconds between two killed workers; --ends: times that the command is
// killed. Programs and model are those of `npm run setup`.

import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { build, program } from './programs.mjs';

const { values } = parseArgs({
  options: {
    passages: { type: 'string', default: '200000' },
    every: { type: 'string', default: '3' },
    ends: { type: 'string', default: '20' },
    release: { type: 'boolean', default: false },
  },
});
const passages = Number(values.passages);
const every = Number(values.every) * 1000;
build(['audit'], values.release);

const dir = mkdtempSync(join(tmpdir(), 'rummage-endurance-'));
let sound = true;
try {
  const folder = join(dir, 'files');
  writeFiles(folder, passages);
  console.log(`${passages} files of one passage each`);
  const calm = await run('undisturbed', {});
  const full = calm.seconds > 120; // A short run tells nothing of speed or growth.
  const growth = grown(calm.samples);
  const killed = await run('workers killed', { every });
  const rate = calm.seconds / killed.seconds;
  console.log(`throughput with killed workers: ${(100 * rate).toFixed(1)} % of an undisturbed run's`);
  if (full && (rate < 0.85 || growth > 0.1)) sound = false;
  await run('workers and the command killed', { every, ends: Number(values.ends), span: calm.seconds * 1000 });
} finally {
  rmSync(dir, { recursive: true, force: true });
}
process.exitCode = sound ? 0 : 1;

// Indexes the folder from nothing and looks at what came of it.
async function run(name, { every, ends = 0, span = 0 }) {
  const data = join(dir, name.replaceAll(' ', '-'));
  let [workers, commands] = [0, 0];
  const samples = [];
  const start = performance.now();
  for (;;) {
    const command = spawn(program('rummage'), ['index', '--json', '--quiet', '--data', data, join(dir, 'files')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    command.stdout.on('data', (bytes) => (printed += bytes));
    const ended = new Promise((resolve) => command.on('close', (code) => resolve({ code })));
    // Sooner than the undisturbed run would suggest, so that all of them come.
    const patience = commands < ends ? (span / (2 * ends)) * (0.5 + Math.random()) : Infinity;
    const deadline = performance.now() + patience;
    let nextKill = performance.now() + (every ?? Infinity);
    let outcome = null;
    while (!outcome) {
      outcome = await Promise.race([ended, sleep(200).then(() => null)]);
      if (outcome) break;
      const now = performance.now();
      if (now >= deadline) {
        command.kill('SIGKILL');
        commands++;
        outcome = await ended;
      } else if (now >= nextKill) {
        workers += killWorker(command.pid);
        nextKill = now + every * (0.5 + Math.random());
      }
      samples.push(...workersOf(data));
    }
    if (outcome.code === 0) {
      const seconds = (performance.now() - start) / 1000;
      const report = JSON.parse(printed);
      const rate = (passages / report.stages.embed).toFixed(0);
      console.log(`${name}: ${seconds.toFixed(1)} s (${rate} passages/s while embedding), ${workers} workers and ${commands} commands killed`);
      audit(name, data);
      rmSync(data, { recursive: true, force: true });
      return { seconds, samples };
    }
    if (outcome.code !== null) throw new Error(`${name}: the command failed with ${outcome.code}`);
  }
}

function killWorker(parent) {
  let children = [];
  try {
    children = execFileSync('pgrep', ['-P', String(parent)], { encoding: 'utf8' }).split('\n').filter(Boolean);
  } catch {
    return 0; // None are there at this moment.
  }
  const pid = Number(children[Math.floor(Math.random() * children.length)]);
  try {
    process.kill(pid, 'SIGKILL');
    return 1;
  } catch {
    return 0;
  }
}

// Memory of each embedding worker and how much it has done.
function workersOf(data) {
  try {
    const status = JSON.parse(execFileSync(program('rummage'), ['status', '--json', '--data', data], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
    return status.workers.filter(({ role, state }) => role === 'embed' && state === 'busy');
  } catch {
    return []; // The data folder is still being made.
  }
}

// How much more a worker holds near its end than around its first 5,000 passages.
function grown(samples) {
  const largest = (from, to) => Math.max(...samples.filter(({ passages }) => passages >= from && passages < to).map(({ memory_bytes }) => memory_bytes)) / (1 << 20);
  const most = Math.max(0, ...samples.map(({ passages }) => passages));
  if (most < 20_000) return 0; // Too few to tell.
  const late = Math.floor(most * 0.95);
  const [early, end] = [largest(4000, 8000), largest(late, Infinity)];
  console.log(`memory of a worker: ${early} MB around its first 5,000 passages, ${end} MB after ${late}`);
  return end / early - 1;
}

function audit(name, data) {
  let counts;
  try {
    counts = JSON.parse(execFileSync(program('examples/audit'), [join(data, 'index')], { encoding: 'utf8' }));
  } catch (error) {
    counts = JSON.parse(error.stdout);
  }
  const lost = passages - counts.passages;
  console.log(`  ${counts.passages} passages, ${counts.vectors} vectors, ${lost} lost, ${counts.twice} twice, ${counts.without_vector} without a vector`);
  if (lost !== 0 || counts.twice !== 0 || counts.without_vector !== 0) sound = false;
}

// Short notes, no two alike, in a folder for each thousand.
function writeFiles(folder, count) {
  const things = ['harbour', 'kettle', 'orchard', 'ledger', 'violin', 'compass', 'meadow', 'lantern', 'engine', 'glacier', 'pottery', 'railway'];
  const deeds = ['repaired', 'measured', 'painted', 'described', 'moved', 'cleaned', 'sold', 'remembered', 'photographed', 'compared'];
  for (let n = 0; n < count; n++) {
    if (n % 1000 === 0) mkdirSync(join(folder, String(n / 1000)), { recursive: true });
    const pick = (list, salt) => list[(n * salt + (n >> 3)) % list.length];
    const text = `Note ${n}: the ${pick(things, 7)} was ${pick(deeds, 3)} before the ${pick(things, 5)} in week ${n % 53}, and ${pick(deeds, 11)} once more near the ${pick(things, 2)}.\n`;
    writeFileSync(join(folder, String(Math.floor(n / 1000)), `${n}.txt`), text);
  }
}
