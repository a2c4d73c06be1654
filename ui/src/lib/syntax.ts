// Programs with their syntax told apart: text and the class of each run. Loaded
// on the first preview of one; knows no page.
import { createLowlight } from 'lowlight';
import bash from 'highlight.js/lib/languages/bash';
import c from 'highlight.js/lib/languages/c';
import cpp from 'highlight.js/lib/languages/cpp';
import csharp from 'highlight.js/lib/languages/csharp';
import css from 'highlight.js/lib/languages/css';
import go from 'highlight.js/lib/languages/go';
import ini from 'highlight.js/lib/languages/ini';
import java from 'highlight.js/lib/languages/java';
import javascript from 'highlight.js/lib/languages/javascript';
import json from 'highlight.js/lib/languages/json';
import kotlin from 'highlight.js/lib/languages/kotlin';
import lua from 'highlight.js/lib/languages/lua';
import php from 'highlight.js/lib/languages/php';
import python from 'highlight.js/lib/languages/python';
import r from 'highlight.js/lib/languages/r';
import ruby from 'highlight.js/lib/languages/ruby';
import rust from 'highlight.js/lib/languages/rust';
import scala from 'highlight.js/lib/languages/scala';
import sql from 'highlight.js/lib/languages/sql';
import swift from 'highlight.js/lib/languages/swift';
import typescript from 'highlight.js/lib/languages/typescript';
import xml from 'highlight.js/lib/languages/xml';
import yaml from 'highlight.js/lib/languages/yaml';

export interface SyntaxRun {
  text: string;
  /** `null`: as any text. */
  kind: Kind | null;
}

/** As many colours as a reader tells apart. */
export type Kind = 'keyword' | 'string' | 'number' | 'comment' | 'name';

const lowlight = createLowlight({
  bash,
  c,
  cpp,
  csharp,
  css,
  go,
  ini,
  java,
  javascript,
  json,
  kotlin,
  lua,
  php,
  python,
  r,
  ruby,
  rust,
  scala,
  sql,
  swift,
  typescript,
  xml,
  yaml,
});

/** Extensions that the library's own aliases do not know. */
const LANGUAGES: Record<string, string> = {
  cfg: 'ini',
  conf: 'ini',
  fish: 'bash',
  svelte: 'xml',
  vue: 'xml',
  jsonl: 'json',
  ipynb: 'json',
  less: 'css',
  scss: 'css',
};

const KINDS: Record<string, Kind> = {
  keyword: 'keyword',
  literal: 'keyword',
  built_in: 'keyword',
  type: 'keyword',
  meta: 'keyword',
  tag: 'keyword',
  string: 'string',
  regexp: 'string',
  char: 'string',
  number: 'number',
  symbol: 'number',
  comment: 'comment',
  doctag: 'comment',
  title: 'name',
  attr: 'name',
  attribute: 'name',
  name: 'name',
  section: 'name',
  property: 'name',
};

type Node = ReturnType<typeof lowlight.highlight>['children'][number];

/** The runs of a program; all of it in one where its language is not known. */
export function syntaxOf(text: string, fileName: string): SyntaxRun[] {
  const extension = fileName.slice(fileName.lastIndexOf('.') + 1).toLowerCase();
  const language = Object.hasOwn(LANGUAGES, extension) ? LANGUAGES[extension] : extension;
  if (language === undefined || !lowlight.registered(language)) return [{ text, kind: null }];
  const found: SyntaxRun[] = [];
  for (const node of lowlight.highlight(language, text).children) gather(node, null, found);
  return found;
}

function gather(node: Node, kind: Kind | null, found: SyntaxRun[]): void {
  if (node.type === 'text') push(found, node.value, kind);
  else if (node.type === 'element') {
    const own = kindOf(node.properties['className']) ?? kind;
    for (const child of node.children) gather(child, own, found);
  }
}

function kindOf(classes: unknown): Kind | null {
  if (!Array.isArray(classes)) return null;
  const name = String(classes[0]).replace(/^hljs-/, '');
  return Object.hasOwn(KINDS, name) ? (KINDS[name] ?? null) : null;
}

function push(found: SyntaxRun[], text: string, kind: Kind | null): void {
  const last = found.at(-1);
  if (last?.kind === kind) last.text += text;
  else found.push({ text, kind });
}

/** Runs of one text as the runs of its pieces of these lengths, which are all of it. */
export function cutAt(runs: readonly SyntaxRun[], lengths: readonly number[]): SyntaxRun[][] {
  const queue = runs.map((run) => ({ ...run }));
  let next = 0;
  return lengths.map((length) => {
    const piece: SyntaxRun[] = [];
    let wanted = length;
    for (let run = queue[next]; run && wanted > 0; run = queue[next]) {
      const text = run.text.slice(0, wanted);
      piece.push({ text, kind: run.kind });
      wanted -= text.length;
      run.text = run.text.slice(text.length);
      if (run.text === '') next += 1;
    }
    return piece;
  });
}
