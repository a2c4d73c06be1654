// Extraction measured on files that nobody here wrote: documentation packages of
// Debian, and office documents that LibreOffice makes of them. For each format:
// how many files give text, which part of the words and letters that a reference
// program finds is found, and how long it takes.
//
//     node bench/formats.mjs gather FOLDER     fetch packages, convert (Debian, once)
//     node bench/formats.mjs FOLDER            measure, and print the table
//
// `gather` needs apt-get, dpkg-deb, soffice, pandoc and pdftotext; measuring needs
// `cargo build --workspace --examples`.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { basename, extname, join, resolve } from 'node:path';

const PACKAGES = `apt-doc asymptote-doc debian-faq debian-faq-de debian-handbook debian-history
  debian-policy debian-policy-ja debian-reference-en debian-reference-ja debmake-doc
  developers-reference developers-reference-de developers-reference-ja git-doc gnuplot-doc
  graphviz-doc installation-guide-amd64 maint-guide octave-doc r-doc-pdf
  texlive-fonts-recommended-doc texlive-humanities-doc texlive-latex-recommended-doc`.split(/\s+/);

// Of the many HTML files this many are measured, and this many are made into each
// office format.
const PAGES = 300;
const DOCUMENTS = 40;

const PROGRAM = resolve(import.meta.dirname, '../target/debug/examples/text');

const [first, second] = process.argv.slice(2);
if (first === 'gather' && second) gather(resolve(second));
else if (first && !second) measure(resolve(first));
else {
  console.error('usage: node bench/formats.mjs [gather] FOLDER');
  process.exit(2);
}

/** Fills the folder: files/FORMAT/NAME, and what the reference says in words/FORMAT/NAME.txt. */
function gather(folder) {
  const packages = join(folder, 'packages');
  mkdirSync(packages, { recursive: true });
  for (const name of PACKAGES) {
    if (readdirSync(packages).some((file) => file.startsWith(`${name}_`))) continue;
    run('apt-get', ['download', name], packages);
  }
  const unpacked = join(folder, 'unpacked');
  for (const file of readdirSync(packages)) run('dpkg-deb', ['-x', join(packages, file), unpacked]);

  const all = walk(unpacked).sort();
  const pdf = all.filter((file) => /\.pdf(\.gz)?$/.test(file));
  const html = spread(all.filter((file) => /\.html?$/.test(file)), PAGES);
  put(folder, 'pdf', pdf, (from, to) => run('pdftotext', ['-q', from, to]));
  put(folder, 'html', html, pandoc('html'));
  put(folder, 'epub', all.filter((file) => file.endsWith('.epub')), pandoc('epub'));

  const long = html.filter((file) => readFileSync(file).length > 8000);
  const texts = copied(folder, 'source-text', spread(long, DOCUMENTS), '.html');
  for (const [format, filter] of [
    ['docx', 'docx:MS Word 2007 XML'],
    ['odt', 'odt:writer8'],
    ['rtf', 'rtf:Rich Text Format'],
  ]) {
    office(folder, format, texts, ['--infilter=HTML (StarWriter)', '--convert-to', filter]);
    references(folder, format, ['--convert-to', 'txt:Text (encoded):UTF8']);
  }
  const tables = long.filter((file) => readFileSync(file, 'utf8').includes('<table'));
  const sheets = copied(folder, 'source-sheet', spread(tables, DOCUMENTS), '.html');
  for (const format of ['xlsx', 'xls', 'ods']) {
    const filter = { xlsx: 'xlsx:Calc MS Excel 2007 XML', xls: 'xls:MS Excel 97', ods: 'ods:calc8' };
    office(folder, format, sheets, ['--infilter=HTML (StarCalc)', '--convert-to', filter[format]]);
    references(folder, format, ['--convert-to', 'csv:Text - txt - csv (StarCalc):9,34,UTF8']);
  }
  // The pictures lie elsewhere.
  const filter = join(folder, 'without-pictures.lua');
  writeFileSync(filter, 'function Image() return {} end\n');
  mkdirSync(join(folder, 'source-slides'), { recursive: true });
  const slides = texts.map((file) => {
    const to = join(folder, 'source-slides', `${basename(file, ".html")}.pptx`);
    if (!existsSync(to)) run('pandoc', ['-f', 'html-native_divs-native_spans', '-L', filter, file, '-o', to]);
    return to;
  });
  for (const [format, filter] of [
    ['pptx', 'pptx:Impress MS PowerPoint 2007 XML'],
    ['odp', 'odp:impress8'],
  ]) {
    office(folder, format, slides, ['--convert-to', filter]);
    references(folder, format, ['--convert-to', 'pdf']);
  }
}

/** Copies files to files/FORMAT and writes what the reference finds in each. */
function put(folder, format, files, reference) {
  const texts = join(folder, 'words', format);
  mkdirSync(texts, { recursive: true });
  for (const file of copied(folder, join('files', format), files)) {
    const text = join(texts, `${basename(file)}.txt`);
    if (!existsSync(text)) reference(file, text);
  }
}

/** Copies under numbered names, unpacked if need be. */
function copied(folder, name, files) {
  const into = join(folder, name);
  mkdirSync(into, { recursive: true });
  return files.map((file, nth) => {
    const to = join(into, `${nth}-${basename(file, ".gz")}`);
    const bytes = readFileSync(file);
    if (!existsSync(to)) writeFileSync(to, file.endsWith('.gz') ? gunzipSync(bytes) : bytes);
    return to;
  });
}

function pandoc(format) {
  return (from, to) => run('pandoc', ['-f', format, '-t', 'plain', '--wrap=none', from, '-o', to]);
}

/** Has LibreOffice convert all files into files/FORMAT. */
function office(folder, format, files, options) {
  const into = join(folder, 'files', format);
  if (!existsSync(into)) soffice([...options, '--outdir', into, ...files]);
}

/** Has LibreOffice say what is in files/FORMAT. */
function references(folder, format, options) {
  const into = join(folder, 'words', format);
  if (existsSync(into)) return;
  const files = readdirSync(join(folder, 'files', format)).map((name) => join(folder, 'files', format, name));
  soffice([...options, '--outdir', into, ...files]);
  for (const name of readdirSync(into)) {
    const stem = basename(name, extname(name));
    const text = join(into, `${stem}.${format}.txt`);
    if (name.endsWith('.pdf')) run('pdftotext', ['-q', join(into, name), text]);
    else renameSync(join(into, name), text);
  }
}

function soffice(options) {
  run('soffice', ['--headless', ...options]);
}

function run(program, options, cwd) {
  const { status } = spawnSync(program, options, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) console.error(`${program} ${options.slice(0, 4).join(" ")} …: ${status}`);
}

function measure(folder) {
  console.log('| format | files | give text | pages | words of the reference | found | letters found | s |');
  console.log('|---|---|---|---|---|---|---|---|');
  for (const format of readdirSync(join(folder, 'files')).sort()) {
    const files = walk(join(folder, 'files', format)).sort();
    const found = execFileSync(PROGRAM, { input: files.join('\n'), maxBuffer: 1 << 30 })
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const rows = found.map((row) => ({ ...row, ...recovered(folder, format, row) }));
    // What holds no words for the reference either is no text.
    const wellFormed = rows.filter((row) => row.words > 0);
    const sum = (key) => rows.reduce((sum, row) => sum + (row[key] ?? 0), 0);
    const share = (part, whole) => `${((100 * sum(part)) / sum(whole)).toFixed(2)} %`;
    const cells = [
      format.toUpperCase(),
      wellFormed.length,
      wellFormed.filter((row) => row.text).length,
      sum('pages') || '',
      sum('words').toLocaleString('en'),
      share('foundWords', 'words'),
      share('foundLetters', 'letters'),
      sum('seconds').toFixed(1),
    ];
    console.log(`| ${cells.join(" | ")} |`);
    for (const row of wellFormed.filter((row) => !row.text)) console.error(row.file, row.reason);
    if (process.env.WORST) {
      rows.sort((a, b) => b.words - b.foundWords - (a.words - a.foundWords));
      for (const row of rows.slice(0, Number(process.env.WORST)))
        console.error(row.words, (row.foundWords / row.words).toFixed(3), row.seconds.toFixed(2), row.file);
    }
  }
}

/** Words are compared as a bag: order is a matter of taste in tables and columns. */
function recovered(folder, format, row) {
  const file = join(folder, 'words', format, `${basename(row.file)}.txt`);
  const expected = existsSync(file) ? bag(readFileSync(file, 'utf8')) : new Map();
  const found = bag(row.text ?? '');
  const sums = { words: 0, foundWords: 0, letters: 0, foundLetters: 0 };
  for (const [word, count] of expected) {
    const both = Math.min(count, found.get(word) ?? 0);
    sums.words += count;
    sums.foundWords += both;
    sums.letters += count * word.length;
    sums.foundLetters += both * word.length;
  }
  return sums;
}

function bag(text) {
  const words = new Map();
  for (const [word] of text.normalize('NFKC').toLowerCase().matchAll(/[\p{L}\p{N}_]+/gu))
    words.set(word, (words.get(word) ?? 0) + 1);
  return words;
}

function walk(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** So many of a list, evenly spread over it. */
function spread(list, count) {
  const step = Math.max(1, list.length / count);
  return Array.from({ length: Math.min(count, list.length) }, (_, nth) => list[Math.floor(nth * step)]);
}
