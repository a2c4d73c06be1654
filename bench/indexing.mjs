// How much of the bare ONNX Runtime loop's speed is left while Rummage indexes:
// the same files, the same passages, the same model, turn and turn about in one
// run, so that the machine's moods fall on both.
//
//   node bench/indexing.mjs CORPUS.jsonl [--turns 3] [--release] [--files 2000]
//
// CORPUS.jsonl has an object a line with `_id`, `title` and `text`; each becomes
// a file. Programs are those of `npm run setup`, or with `--release` as packages have
// them; where those are there they are taken.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeCorpus } from './corpus.mjs';
import { build, isReleased, program, root } from './programs.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    turns: { type: 'string', default: '3' },
    files: { type: 'string' },
    release: { type: 'boolean', default: false },
  },
});
if (positionals.length !== 1) {
  console.error('node bench/indexing.mjs CORPUS.jsonl [--turns 3] [--files N] [--release]');
  process.exit(2);
}

build(['bare_loop'], values.release || isReleased());
const runtime = { linux: 'libonnxruntime.so', darwin: 'libonnxruntime.dylib', win32: 'onnxruntime.dll' };

const dir = mkdtempSync(join(tmpdir(), 'rummage-bench-'));
try {
  const folder = join(dir, 'files');
  const files = writeCorpus(positionals[0], folder, Number(values.files ?? Infinity));
  console.log(`${files} files, ${values.turns} turns`);
  // The first turn of all chooses the loop's best setting.
  const best = bareLoops(folder).reduce((best, loop) => (loop.rate > best.rate ? loop : best));
  console.log(`best bare loop: ${best.name}`);
  const ratios = [];
  for (let turn = 1; turn <= Number(values.turns); turn++) {
    const index = indexing(folder, join(dir, `data-${turn}`));
    const [loop] = bareLoops(folder, best.setting);
    ratios.push(index / loop.rate);
    console.log(`turn ${turn}: indexing ${index.toFixed(1)}, bare loop ${loop.rate.toFixed(1)} passages/s: ${percent(index / loop.rate)}`);
  }
  ratios.sort((a, b) => a - b);
  console.log(`indexing / bare loop: median ${percent(ratios[ratios.length >> 1])}, from ${percent(ratios[0])} to ${percent(ratios.at(-1))}`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}

// Passages a second from the first passage taken up to the last vector kept.
function indexing(folder, data) {
  const report = JSON.parse(
    execFileSync(program('rummage'), ['index', '--json', '--quiet', '--data', data, folder], { encoding: 'utf8' }),
  );
  return report.passages.embedded / report.stages.embed;
}

function bareLoops(folder, setting = []) {
  const model = join(root, 'assets/models/all-MiniLM-L6-v2');
  const library = join(root, 'assets/runtime', runtime[process.platform]);
  const args = [folder, model, library, ...setting];
  const printed = execFileSync(program('examples/bare_loop'), args, { encoding: 'utf8' });
  process.stdout.write(printed.replace(/^/gm, '  ').trimEnd() + '\n');
  return printed.trim().split('\n').map((line) => {
    const [, processes, threads, tokens, graph, rate] =
      /^(\d+) × (\d+) threads, (\d+) tokens a call, (\w+) graph.*= ([\d.]+) passages/.exec(line);
    return { name: line.split(':')[0], setting: [processes, threads, tokens, graph], rate: Number(rate) };
  });
}

function percent(ratio) {
  return `${(100 * ratio).toFixed(1)} %`;
}
