// Sample workers for design work and tests: a pool as it should be, and in the
// states that are hard to meet in earnest.
import type {
  HealthSample,
  PoolStatus,
  Status,
  WorkerEnd,
  WorkerRole,
  WorkerStatus,
} from './types';

const MB = 2 ** 20;
const MINUTE_MS = 60_000;
const SAMPLE_MS = 2000;

const minutesAgo = (minutes: number) => Date.now() - minutes * MINUTE_MS;

function worker(role: WorkerRole, pid: number | null, own: Partial<WorkerStatus>): WorkerStatus {
  return {
    role,
    pid,
    state: 'idle',
    memoryBytes: 0,
    softLimitBytes: 600 * MB,
    hardLimitBytes: 1200 * MB,
    jobs: 0,
    passages: 0,
    restarts: 0,
    startedMs: minutesAgo(48),
    lastEnd: null,
    ...own,
  };
}

function ended(
  minutes: number,
  role: WorkerRole,
  pid: number | null,
  own: Partial<WorkerEnd>,
): WorkerEnd {
  return {
    atMs: minutesAgo(minutes),
    role,
    pid,
    planned: true,
    why: GREW,
    passages: 0,
    memoryBytes: 612 * MB,
    ...own,
  };
}

const GREW = 'it held 612 MB, past its limit of 600 MB';
const KILLED = 'it was ended by signal 9';
const HUNG = 'reading the file took longer than 30 s';
const PARSER = 'panicked at src/text.rs:31: index out of bounds: the len is 3 but the index is 7';

export function emptyPool(): PoolStatus {
  return {
    mode: 'considerate',
    workers: [],
    plannedRestarts: 0,
    crashRestarts: 0,
    wanted: 2,
    allowed: 2,
    heldBack: null,
    memory: {
      wholeBytes: 232 * MB,
      isPss: true,
      limitBytes: 2048 * MB,
      availableBytes: 9_500 * MB,
      machineBytes: 15_900 * MB,
    },
    ends: [],
  };
}

export function idlePool(): PoolStatus {
  const pool = emptyPool();
  return {
    ...pool,
    workers: [
      worker('extract', 4711, {
        memoryBytes: 38 * MB,
        jobs: 5200,
        passages: 5200,
        restarts: 1,
        startedMs: minutesAgo(12),
        lastEnd: HUNG,
      }),
      worker('embed', 4712, { memoryBytes: 164 * MB, jobs: 221, passages: 14_120 }),
      worker('query', 4713, { memoryBytes: 121 * MB, jobs: 36, passages: 36 }),
    ],
    crashRestarts: 1,
    memory: { ...pool.memory, wholeBytes: 418 * MB },
    ends: [ended(12, 'extract', 4690, { planned: false, why: HUNG, memoryBytes: 44 * MB })],
  };
}

export function busyPool(): PoolStatus {
  const pool = emptyPool();
  return {
    ...pool,
    workers: [
      worker('extract', 4711, { state: 'busy', memoryBytes: 38 * MB, jobs: 1204, passages: 1204 }),
      worker('embed', 4712, {
        state: 'busy',
        memoryBytes: 236 * MB,
        jobs: 221,
        passages: 14_120,
        restarts: 1,
        startedMs: minutesAgo(26),
        lastEnd: GREW,
      }),
      worker('embed', 4730, {
        state: 'expiring',
        memoryBytes: 640 * MB,
        jobs: 198,
        passages: 12_655,
        restarts: 1,
        startedMs: minutesAgo(22),
        lastEnd: KILLED,
      }),
      worker('embed', 4755, {
        state: 'starting',
        restarts: 2,
        startedMs: minutesAgo(0.02),
        lastEnd: GREW,
      }),
      worker('query', 4713, { memoryBytes: 121 * MB, jobs: 36, passages: 36 }),
    ],
    plannedRestarts: 1,
    crashRestarts: 1,
    memory: { ...pool.memory, wholeBytes: 1284 * MB },
    ends: [
      ended(22, 'embed', 4714, {
        planned: false,
        why: KILLED,
        passages: 3180,
        memoryBytes: 210 * MB,
      }),
      ended(26, 'embed', 4702, { passages: 31_040 }),
    ],
  };
}

/** A worker that dies over and over, and more ends than the window shows at once. */
export function stormPool(): PoolStatus {
  const pool = busyPool();
  // Several within one moment, as storms have them.
  const ends = Array.from({ length: 20 }, (_, index) =>
    ended(0.1 + Math.floor(index / 3) * 0.7, 'extract', null, {
      planned: false,
      why: index % 3 === 0 ? HUNG : PARSER,
      memoryBytes: (30 + index) * MB,
    }),
  );
  return {
    ...pool,
    workers: [
      worker('extract', null, {
        state: 'starting',
        restarts: 57,
        startedMs: minutesAgo(0.01),
        lastEnd: PARSER,
      }),
      worker('extract', 5201, {
        state: 'busy',
        memoryBytes: 1190 * MB,
        jobs: 3,
        passages: 3,
        restarts: 41,
        startedMs: minutesAgo(0.3),
        lastEnd: HUNG,
      }),
      worker('embed', 4712, {
        state: 'retiring',
        memoryBytes: 236 * MB,
        passages: 14_120,
        jobs: 221,
      }),
      worker('query', 4713, { memoryBytes: 121 * MB, jobs: 36, passages: 36 }),
    ],
    plannedRestarts: 1,
    crashRestarts: 98,
    memory: { ...pool.memory, wholeBytes: 2210 * MB, isPss: false, availableBytes: 240 * MB },
    ends,
  };
}

export function unmeasured(pool: PoolStatus): PoolStatus {
  const memory = { ...pool.memory, wholeBytes: 0, availableBytes: 0, machineBytes: 0 };
  return { ...pool, memory };
}

export function heldBack(status: Status): Status {
  return {
    ...status,
    pool: {
      ...status.pool,
      workers: status.pool.workers.filter(({ pid }) => pid !== 4730 && pid !== 4755),
      allowed: 1,
      heldBack: 'on battery',
    },
  };
}

export function paused(status: Status): Status {
  const workers = status.pool.workers
    .filter(({ state }) => state !== 'expiring' && state !== 'starting')
    .map((one) => ({ ...one, state: 'idle' as const }));
  return {
    ...status,
    pool: { ...status.pool, mode: 'paused', workers, allowed: 0 },
    indexing: status.indexing && {
      ...status.indexing,
      filesPerSecond: 0,
      passagesPerSecond: 0,
      secondsLeft: null,
    },
  };
}

/** Ten minutes of work: memory that climbs until a worker is replaced, and a minute of rest. */
export function sampleHistory(): HealthSample[] {
  const now = Date.now();
  const samples = 300;
  const isAtRest = (index: number) => index > 190 && index < 222;
  return Array.from({ length: samples }, (_, index) => {
    const rate = 92 + 9 * Math.sin(index / 7) + 5 * Math.sin(index * 2.3);
    const climb = ((index + 40) % 150) / 150;
    return {
      atMs: now - (samples - 1 - index) * SAMPLE_MS,
      memoryBytes: (760 + 520 * climb + 12 * Math.sin(index / 3)) * MB,
      passagesPerSecond: isAtRest(index) ? 0 : rate,
      filesPerSecond: isAtRest(index) ? 0 : rate / 2.5,
      workers: isAtRest(index) ? 1 : 4,
    };
  });
}
