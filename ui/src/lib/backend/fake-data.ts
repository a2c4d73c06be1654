// Sample folders, files and passages for design work and tests.
import { baseName, folderOf } from '../format';
import { busyPool, emptyPool, idlePool } from './fake-pool';
import type {
  AlikeFile,
  Arithmetic,
  ComparedModel,
  Comparison,
  Counts,
  FileResult,
  Marks,
  ModelView,
  RootStatus,
  SettingsView,
  Status,
} from './types';

export const DOCUMENTS = '/home/you/Documents';
export const NOTES = '/home/you/Notes';

export function rootOf(path: string, counts: Partial<RootStatus> = {}): RootStatus {
  return {
    path,
    name: path.slice(path.lastIndexOf('/') + 1),
    indexed: 0,
    queued: 0,
    skipped: 0,
    failed: 0,
    state: 'watching',
    message: null,
    paused: false,
    ...counts,
  };
}

export function emptyStatus(): Status {
  return {
    roots: [],
    coverage: { known: 0, searched: 0, meaning: 0 },
    counts: { indexed: 0, queued: 0, skipped: 0, failed: 0 },
    indexing: null,
    pool: emptyPool(),
    model: { id: 'all-MiniLM-L6-v2', name: 'all-MiniLM-L6-v2 (int8)', dims: 384, state: 'ready', message: null },
    switching: null,
    problems: [],
    diskBytes: 40_000,
  };
}

/** The folders' counts are those of the whole. */
function sumOf(roots: RootStatus[]): Counts {
  const sum = (state: keyof Counts) => roots.reduce((n, root) => n + root[state], 0);
  return {
    indexed: sum('indexed'),
    queued: sum('queued'),
    skipped: sum('skipped'),
    failed: sum('failed'),
  };
}

export function readyStatus(): Status {
  const roots = [
    rootOf(DOCUMENTS, { indexed: 4291, skipped: 25, failed: 3 }),
    rootOf(NOTES, { indexed: 871 }),
    rootOf('/media/backup/Archive 2019', {
      indexed: 13,
      state: 'away',
      message: '/media/backup/Archive 2019 is not there: No such file or directory',
    }),
  ];
  return {
    ...emptyStatus(),
    roots,
    coverage: { known: 5200, searched: 5175, meaning: 5175 },
    counts: sumOf(roots),
    pool: idlePool(),
    diskBytes: 214_000_000,
  };
}

/** A thousand files of one kind that fail, and a folder on a network drive. */
export function failuresStatus(): Status {
  const status = readyStatus();
  const roots = [
    rootOf(DOCUMENTS, { indexed: 4291, skipped: 25, failed: 1000 }),
    rootOf('/mnt/office/Shared', {
      indexed: 871,
      state: 'limited',
      message:
        '/mnt/office/Shared is a network drive: what other machines change there is not told',
    }),
  ];
  return {
    ...status,
    roots,
    coverage: { known: 6184, searched: 5162, meaning: 5162 },
    counts: sumOf(roots),
  };
}

export function indexingStatus(): Status {
  const status = readyStatus();
  const roots = [
    rootOf(DOCUMENTS, { indexed: 1188, queued: 3095, skipped: 16, failed: 3, state: 'scanning' }),
    rootOf(NOTES, { indexed: 0, queued: 871 }),
  ];
  return {
    ...status,
    pool: busyPool(),
    roots,
    coverage: { known: 5170, searched: 1204, meaning: 860 },
    counts: sumOf(roots),
    indexing: {
      done: 1204,
      total: 5170,
      filesPerSecond: 38.2,
      passagesPerSecond: 96,
      secondsLeft: 104,
      current: `${DOCUMENTS}/House/Heating/heat-pump-quotation-and-annexes-final.pdf`,
    },
  };
}

/** Marks each of `terms` wherever it stands in the text. */
function marks(text: string, terms: string[]): [number, number][] {
  const found: [number, number][] = [];
  for (const match of text.matchAll(new RegExp(terms.join('|'), 'gi')))
    found.push([match.index, match.index + match[0].length]);
  return found;
}

function passage(
  text: string,
  context: string,
  rank: number,
  terms: string[],
  page: number | null = null,
) {
  return {
    id: rank,
    text,
    context,
    start: rank * 1000,
    end: rank * 1000 + text.length,
    page,
    highlights: terms.length > 0 ? marks(text, terms) : [],
    why: {
      keyword: terms.length > 0 ? { rank, score: 7.2, terms } : null,
      meaning: rank === 4 ? null : { rank, similarity: 0.82 - rank * 0.06 },
    },
  };
}

/** As a score comes about; the parts add up. */
function sum(meaning: number | null, keyword: number | null, name = 0): Arithmetic {
  const leg = (score: number, mean: number, deviation: number, z: number | null) =>
    z === null ? null : { score, mean, deviation, z };
  const meaningShare = meaning === null || keyword === null ? 1 : 0.6;
  const words = (1 - (meaning === null ? 0 : meaningShare)) * (keyword ?? 0);
  return {
    keyword: leg(7.2, 2.1, 2.4, keyword),
    meaning: leg(0.76, 0.31, 0.16, meaning),
    meaningShare,
    name,
    score: (meaning === null ? 0 : meaningShare * meaning) + words + name,
  };
}

function copy(path: string): AlikeFile {
  return { path, name: baseName(path), folder: folderOf(path), copy: true };
}

export const RESULTS: FileResult[] = [
  {
    path: `${DOCUMENTS}/House/Heating/heat-pump-comparison.md`,
    name: 'heat-pump-comparison.md',
    folder: `${DOCUMENTS}/House/Heating`,
    modified: '2025-03-14T10:20:00Z',
    score: 0.032,
    arithmetic: sum(2.81, 2.13),
    named: false,
    passages: [
      passage(
        'The air-to-water heat pump needs 35 °C flow temperature to stay above a seasonal factor of 4. Our radiators were sized for 55 °C, so two rooms need larger ones before the boiler can go. Noise at the neighbour’s window is 34 dB at night.',
        'Heat pump comparison › Air to water',
        1,
        ['heat pump', 'boiler'],
      ),
      passage(
        'Ground source would cost about twice as much to install and saves roughly 600 kWh a year against air. With the present tariff the difference is paid back after 31 years.',
        'Heat pump comparison › Ground source',
        2,
        [],
      ),
    ],
    alike: [],
  },
  {
    path: `${DOCUMENTS}/House/Offers/2025/quotation-heating-system-replacement.pdf`,
    name: 'quotation-heating-system-replacement.pdf',
    folder: `${DOCUMENTS}/House/Offers/2025`,
    modified: '2025-02-03T08:00:00Z',
    score: 0.031,
    arithmetic: sum(2.4, 2.02),
    named: false,
    passages: [
      passage(
        'Removal of the existing gas boiler and flue, disposal included. Supply and installation of one monobloc heat pump, 9 kW at A-7/W35, with a 300 l domestic hot water cylinder and all hydraulic connections.',
        'Quotation › Scope of work',
        3,
        ['heat pump', 'boiler'],
        12,
      ),
    ],
    alike: [
      copy(`${DOCUMENTS}/House/Offers/2025/quotation-heating-system-replacement (1).pdf`),
      copy(`${DOCUMENTS}/Bank/Loan/attachments/quotation-heating-system-replacement.pdf`),
      copy(`${NOTES}/house/offer.pdf`),
    ],
  },
  {
    path: `${NOTES}/energy/meter.py`,
    name: 'meter.py',
    folder: `${NOTES}/energy`,
    modified: '2024-11-28T19:45:00Z',
    score: 0.024,
    arithmetic: sum(null, 1.4),
    named: false,
    passages: [
      passage(
        'def seasonal_factor(heat_kwh, power_kwh):\n    """Heat delivered for each unit of electricity."""\n\n    return heat_kwh / power_kwh if power_kwh else None',
        '',
        4,
        ['heat'],
      ),
    ],
    alike: [{ ...copy(`${NOTES}/energy/old/meter.py`), copy: false }],
  },
  {
    path: `${DOCUMENTS}/Letters/Insurance and utilities/Correspondence with the municipal utility company/2023/tariff change.eml`,
    name: 'tariff change.eml',
    folder: `${DOCUMENTS}/Letters/Insurance and utilities/Correspondence with the municipal utility company/2023`,
    modified: '2023-09-01T07:00:00Z',
    score: 0.02,
    arithmetic: sum(1.9, -0.4),
    named: false,
    passages: [
      passage(
        'From October the reduced rate for controllable devices applies between 22:00 and 06:00. Please let us know whether a separate meter is already installed.',
        'Your new tariff',
        5,
        [],
      ),
    ],
    alike: [],
  },
  {
    path: `${DOCUMENTS}/House/running-costs.xlsx`,
    name: 'running-costs.xlsx',
    folder: `${DOCUMENTS}/House`,
    modified: null,
    score: 0.018,
    arithmetic: sum(null, null, 2.5),
    named: true,
    passages: [
      {
        ...passage('Gas: 1,940 · Electricity: 1,120 · Chimney sweep: 86', 'Costs', 6, []),
        why: { keyword: null, meaning: null },
      },
    ],
    alike: [],
  },
];

/** As a fresh installation lists them. */
export function sampleModels(): ModelView[] {
  const single: ModelView = {
    id: 'all-MiniLM-L6-v2',
    name: 'all-MiniLM-L6-v2 (int8)',
    license: 'Apache-2.0',
    languages: ['en'],
    dims: 384,
    bytes: 23_684_031,
    parts: [],
    state: 'installed',
    reason: null,
    offers: [],
    isActive: true,
    isChosen: true,
    canRemove: false,
  };
  const hub = (id: string) => `https://hub.example/Xenova/${id}/resolve/ea104dacec62c0de699686887e3f920caeb4f3e3/`;
  const known: ModelView = { ...single, state: 'known', isActive: false, isChosen: false };
  const bge = { id: 'bge-small-en-v1.5', address: hub('bge-small-en-v1.5'), bytes: 34_725_822 };
  const gte = { id: 'gte-small', address: hub('gte-small'), bytes: 133_805_151 };
  return [
    single,
    {
      ...known,
      id: 'paraphrase-multilingual-MiniLM-L12-v2',
      name: 'paraphrase-multilingual-MiniLM-L12-v2',
      languages: ['de', 'en', 'fr', 'it', 'zh'],
      bytes: 118_412_397,
      state: 'installed',
      canRemove: true,
    },
    {
      ...known,
      id: 'better',
      name: 'Better: all-MiniLM-L6-v2 and bge-small-en-v1.5 together',
      license: 'Apache-2.0 AND MIT',
      dims: 768,
      bytes: single.bytes + bge.bytes,
      parts: [single.id, bge.id],
      offers: [bge],
    },
    { ...known, id: bge.id, name: 'bge-small-en-v1.5 (int8)', license: 'MIT', bytes: bge.bytes, offers: [bge] },
    { ...known, id: gte.id, name: gte.id, license: 'MIT', bytes: gte.bytes, offers: [gte] },
  ];
}

/** As the installed ones of `sampleModels` measure; one that came since is not read yet. */
export function sampleComparison(models: readonly ModelView[], marks: Marks): Comparison {
  const of = ({ id, name, bytes, dims, isActive }: ModelView, index: number): ComparedModel => ({
    id,
    name,
    isActive,
    modelBytes: bytes,
    vectorBytes: 6 * dims,
    figures: {
      passagesPerSecond: 141.2 / (index + 1),
      questionMs: 3.4 + 4 * index,
      memoryBytes: bytes * 2 + 61_000_000,
      lacking: index > 1 ? 41_877 : 0,
      quality: marks.opened + marks.good > 0 && index <= 1 ? 0.81 - 0.07 * index : null,
    },
    reason: null,
  });
  const compared = models.filter(({ state }) => state === 'installed').map(of);
  const questions = Math.min(marks.opened + marks.good, 12);
  return { marks, questions, passages: 41_877, models: compared };
}

export function sampleSettings(): SettingsView {
  return {
    settings: {
      mode: 'considerate',
      poolSize: 'auto',
      threadsPerWorker: 'auto',
      memoryMegabytes: 'auto',
      passagesPerLease: 'auto',
      tokensPerCall: 512,
      provider: 'cpu',
      passageTokens: 'auto',
      maxFileMegabytes: 50,
      ocr: false,
      ignore: ['node_modules/', '*.tmp', 'target/'],
      rememberOpened: true,
      closeToTray: true,
      shortcut: 'Ctrl+Alt+Space',
      startAtLogin: false,
    },
    auto: {
      poolSize: 2,
      threadsPerWorker: 1,
      memoryMegabytes: 600,
      passagesPerLease: 64,
      tokensPerCall: 256,
      passageTokens: 256,
    },
    measured: [],
    tuning: null,
    marks: { opened: 14, good: 5 },
    limits: {
      poolSize: [1, 16],
      threadsPerWorker: [1, 16],
      memoryMegabytes: [128, 65_536],
      passagesPerLease: [1, 1024],
      tokensPerCall: [32, 16_384],
      passageTokens: [64, 256],
      maxFileMegabytes: [1, 4096],
    },
    providers: ['cpu', 'cuda', 'openvino'],
    runtimeDir: '/home/you/.local/share/rummage/runtime',
    hasTesseract: false,
    hasTray: true,
    shortcutRefused: null,
    dataDir: '/home/you/.local/share/rummage',
    settingsFile: '/home/you/.config/rummage/settings.toml',
  };
}
