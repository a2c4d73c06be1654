// Which family a file belongs to, by its name alone: it chooses an icon, no more.

export type Family =
  | 'text'
  | 'markdown'
  | 'document'
  | 'pdf'
  | 'sheet'
  | 'slides'
  | 'web'
  | 'code'
  | 'data'
  | 'mail'
  | 'book'
  | 'other';

const EXTENSIONS: Record<Exclude<Family, 'other'>, string> = {
  text: 'txt text log rst adoc org tex srt vtt',
  markdown: 'md markdown mdx',
  document: 'doc docx odt rtf pages',
  pdf: 'pdf ps',
  sheet: 'csv tsv xls xlsx ods numbers',
  slides: 'ppt pptx odp key',
  web: 'html htm xhtml mhtml',
  code:
    'rs py js mjs cjs ts tsx jsx svelte vue c h cc cpp hpp cs java kt swift go rb php pl lua r jl ' +
    'hs ml ex exs erl clj scala sh bash zsh fish ps1 bat css scss less sql zig nim dart asm',
  data: 'json jsonl yaml yml toml xml ini cfg conf ipynb',
  mail: 'eml mbox msg',
  book: 'epub mobi azw3 fb2',
};

const FAMILY_OF = new Map(
  Object.entries(EXTENSIONS).flatMap(([family, list]) =>
    list.split(' ').map((extension) => [extension, family as Family] as const),
  ),
);

export function familyOf(name: string): Family {
  const dot = name.lastIndexOf('.');
  return (dot > 0 && FAMILY_OF.get(name.slice(dot + 1).toLowerCase())) || 'other';
}

/** Kinds of files as one asks for them, by the extensions that are most of each. */
export const TYPE_FILTERS = {
  pdf: 'pdf',
  text: 'md,txt',
  document: 'docx,odt,rtf,doc',
  sheet: 'xlsx,ods,csv',
  slides: 'pptx,odp',
  web: 'html,htm',
  mail: 'eml,mbox',
  book: 'epub',
  code: 'rs,py,js,ts,java,c,cpp,go',
} as const;

export type TypeFilter = keyof typeof TYPE_FILTERS;
