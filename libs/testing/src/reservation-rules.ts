import { NO_RESOURCES } from '@usher/domain';
import type {
  GivenBack,
  ReservationCandidate,
  ReservationRequest,
  RestoredAllocation,
  RestoreRequest,
} from '@usher/ports';

/** One call on the pool `p` and what it must answer, or what must be there. */
export type Step =
  | { readonly reserve: Partial<ReservationRequest>; readonly answers: object }
  | { readonly release: string; readonly answers: string | undefined }
  | { readonly renew: string; readonly answers: boolean }
  | { readonly restore: Partial<RestoreRequest>; readonly answers: object }
  | { readonly sweep: number; readonly answers: readonly GivenBack[] }
  /** Sweeping again and again gives back exactly these. */
  | { readonly sweepsInTime: readonly string[] }
  | { readonly holds: readonly string[]; readonly used: Readonly<Record<string, number>> };

/** What holds for every driver of reservations, as calls and their answers. A pool is open unless the case says so. */
export interface Rule {
  readonly name: string;
  readonly closed?: true;
  readonly steps: readonly Step[];
}

/** Long enough that it does not run out in a test, and short enough to wait for. */
export const LONG_MS = 60_000;
const SHORT_MS = 30;

const GIB = 2 ** 30;
const cores = (count: number) => ({ ...NO_RESOURCES, milliCpu: 1000 * count });
/** A backend with so many cores. */
const on = (backend: string, count: number, max = 0): ReservationCandidate => ({
  backend,
  capacity: cores(count),
  max,
});
const held = (allocation: string, backend: string, count: number): RestoredAllocation => ({
  allocation,
  backend,
  resources: cores(count),
  ttlMs: LONG_MS,
});
const session = (id: string, tier = 't') => ({ id, tier });
const back = (allocation: string, backend: string) => ({ allocation, backend });

/** Where the one who asks leaves something out: a core on `b1`, which has two. */
export const USUAL_REQUEST: ReservationRequest = {
  pool: 'p',
  allocation: 'a1',
  owner: 'gw-1',
  leaseMs: LONG_MS,
  ttlMs: LONG_MS,
  resources: cores(1),
  candidates: [on('b1', 2)],
};
export const USUAL_RESTORE: RestoreRequest = {
  pool: 'p',
  owner: 'gw-1',
  leaseMs: LONG_MS,
  allocations: [],
  underWay: [],
  gateways: ['gw-1'],
};

const PLACING: readonly Rule[] = [
  {
    name: 'the first candidate with room gets it, and what lacks is told when none has',
    steps: [
      {
        reserve: { allocation: 'a', candidates: [on('b1', 1), on('b2', 9)] },
        answers: { outcome: 'reserved', backend: 'b1', known: false },
      },
      { reserve: { allocation: 'b', candidates: [on('b1', 1), on('b2', 9)] }, answers: { backend: 'b2' } },
      {
        reserve: { allocation: 'c', candidates: [on('b1', 1), on('b2', 1)] },
        answers: { outcome: 'full', short: ['milliCpu', 'milliCpu'] },
      },
      { reserve: { allocation: 'd', candidates: [] }, answers: { outcome: 'full', short: [] } },
      { holds: ['a', 'b'], used: { b1: 1000, b2: 1000 } },
    ],
  },
  {
    name: 'every dimension counts by itself, and so does the number of allocations',
    steps: [
      {
        reserve: {
          resources: { milliCpu: 1, memoryBytes: 2 * GIB, storageBytes: 3, gpus: 4, gpuMemoryBytes: 5 * GIB },
          candidates: [
            {
              backend: 'b1',
              capacity: {
                milliCpu: 1,
                memoryBytes: 2 * GIB,
                storageBytes: 3,
                gpus: 4,
                gpuMemoryBytes: 5 * GIB,
              },
              max: 1,
            },
          ],
        },
        answers: { outcome: 'reserved' },
      },
      {
        reserve: {
          allocation: 'b',
          resources: { ...NO_RESOURCES, memoryBytes: 1 },
          candidates: [{ backend: 'b1', capacity: { ...cores(9), memoryBytes: 2 * GIB }, max: 0 }],
        },
        answers: { short: ['memoryBytes'] },
      },
      {
        reserve: {
          allocation: 'b',
          resources: { ...NO_RESOURCES, storageBytes: 1 },
          candidates: [on('b1', 9)],
        },
        answers: { short: ['storageBytes'] },
      },
      {
        reserve: { allocation: 'b', resources: { ...NO_RESOURCES, gpus: 1 }, candidates: [on('b1', 9)] },
        answers: { short: ['gpus'] },
      },
      {
        reserve: {
          allocation: 'b',
          resources: { ...NO_RESOURCES, gpuMemoryBytes: 1 },
          candidates: [on('b1', 9)],
        },
        answers: { short: ['gpuMemoryBytes'] },
      },
      { reserve: { allocation: 'b', candidates: [on('b1', 9, 1)] }, answers: { short: ['max'] } },
      { reserve: { allocation: 'b', candidates: [on('b1', 9, 2)] }, answers: { outcome: 'reserved' } },
    ],
  },
  {
    name: 'what is not asked for needs no room, and large amounts are exact',
    steps: [
      { reserve: { allocation: 'a', candidates: [on('b1', 1)] }, answers: { outcome: 'reserved' } },
      {
        reserve: {
          allocation: 'b',
          resources: { ...NO_RESOURCES, memoryBytes: 2 ** 52 + 1 },
          candidates: [{ backend: 'b1', capacity: { ...NO_RESOURCES, memoryBytes: 2 ** 52 + 1 }, max: 0 }],
        },
        answers: { outcome: 'reserved' },
      },
      { release: 'a', answers: 'b1' },
      {
        reserve: {
          allocation: 'c',
          resources: { ...NO_RESOURCES, memoryBytes: 1 },
          candidates: [{ backend: 'b1', capacity: { ...NO_RESOURCES, memoryBytes: 2 ** 52 + 1 }, max: 0 }],
        },
        answers: { short: ['memoryBytes'] },
      },
    ],
  },
  {
    name: 'the same allocation again gets what it has, whatever it asks for',
    steps: [
      { reserve: { candidates: [on('b1', 1)] }, answers: { backend: 'b1', known: false } },
      {
        reserve: { candidates: [on('b2', 9), on('b1', 0)] },
        answers: { outcome: 'reserved', allocation: 'a1', backend: 'b1', known: true },
      },
      { holds: ['a1'], used: { b1: 1000 } },
    ],
  },
  {
    name: 'it is given back exactly once',
    steps: [
      { reserve: { resources: cores(2) }, answers: { outcome: 'reserved' } },
      { release: 'a1', answers: 'b1' },
      { release: 'a1', answers: undefined },
      { release: 'nobody', answers: undefined },
      { holds: [], used: {} },
      { reserve: { resources: cores(2) }, answers: { outcome: 'reserved', known: false } },
    ],
  },
];

const SESSIONS: readonly Rule[] = [
  {
    name: 'a session has one allocation for each tier, and its own never counts against it',
    steps: [
      { reserve: { session: session('s 1'), candidates: [on('b1', 1)] }, answers: { known: false } },
      {
        reserve: { allocation: 'a2', session: session('s 1'), candidates: [on('b2', 9), on('b1', 1)] },
        answers: { allocation: 'a1', backend: 'b1', known: true },
      },
      {
        reserve: { allocation: 'a3', session: session('s 1', 'u'), candidates: [on('b1', 1)] },
        answers: { outcome: 'full' },
      },
      {
        reserve: { allocation: 'a3', session: session('s 1', 'u') },
        answers: { allocation: 'a3', known: false },
      },
      { release: 'a1', answers: 'b1' },
      { reserve: { allocation: 'a4', session: session('s 1') }, answers: { allocation: 'a4', known: false } },
      { holds: ['a3', 'a4'], used: { b1: 2000 } },
    ],
  },
  {
    name: 'a session moves in one step when its backend is out of question, and stays when there is no room elsewhere',
    steps: [
      { reserve: { session: session('s') }, answers: { backend: 'b1' } },
      {
        reserve: { allocation: 'a2', session: session('s'), candidates: [on('b2', 0)] },
        answers: { outcome: 'full' },
      },
      { holds: ['a1'], used: { b1: 1000 } },
      {
        reserve: { allocation: 'a2', session: session('s'), candidates: [on('b2', 1)] },
        answers: { allocation: 'a2', backend: 'b2', known: false, movedFrom: back('a1', 'b1') },
      },
      { holds: ['a2'], used: { b2: 1000 } },
      { release: 'a1', answers: undefined },
      {
        reserve: { allocation: 'a3', session: session('s'), candidates: [on('b2', 1)] },
        answers: { allocation: 'a2', known: true },
      },
    ],
  },
  {
    name: 'ids of sessions keep every character',
    steps: [
      { reserve: { session: session('ü 試\n"\\ %s :{}') }, answers: { known: false } },
      {
        reserve: { allocation: 'a2', session: session('ü 試\n"\\ %s :{}') },
        answers: { allocation: 'a1', known: true },
      },
      {
        reserve: { allocation: 'a2', session: session('ü 試\n"\\ %s :') },
        answers: { allocation: 'a2', known: false },
      },
    ],
  },
  {
    name: 'a session belongs to the gateway that asked last, and outlives the one before',
    steps: [
      { restore: { owner: 'gw-2', leaseMs: SHORT_MS }, answers: { added: 0 } },
      { reserve: { owner: 'gw-2', leaseMs: SHORT_MS, session: session('s') }, answers: { known: false } },
      { reserve: { owner: 'gw-2', leaseMs: SHORT_MS, allocation: 'a2' }, answers: { known: false } },
      { reserve: { allocation: 'a3', session: session('s') }, answers: { allocation: 'a1', known: true } },
      { sweepsInTime: ['a2'] },
      { holds: ['a1'], used: { b1: 1000 } },
    ],
  },
];

const EXPIRING: readonly Rule[] = [
  {
    name: 'what has expired is given back once, by whoever sweeps first, oldest first and as much as is asked for',
    steps: [
      { reserve: { allocation: 'b', candidates: [on('b1', 9)] }, answers: { outcome: 'reserved' } },
      {
        reserve: { allocation: 'a', ttlMs: SHORT_MS, candidates: [on('b1', 9)] },
        answers: { outcome: 'reserved' },
      },
      { sweepsInTime: ['a'] },
      { release: 'a', answers: undefined },
      { sweep: 9, answers: [] },
      { holds: ['b'], used: { b1: 1000 } },
    ],
  },
  {
    name: 'asking for the same allocation again keeps it for longer',
    steps: [
      { reserve: { allocation: 'a', ttlMs: SHORT_MS }, answers: { known: false } },
      { reserve: { allocation: 'a' }, answers: { known: true } },
      { reserve: { allocation: 'a', ttlMs: SHORT_MS }, answers: { known: true } },
      { reserve: { allocation: 'b', ttlMs: SHORT_MS }, answers: { known: false } },
      { sweepsInTime: ['b'] },
      { holds: ['a'], used: { b1: 1000 } },
    ],
  },
  {
    name: 'all allocations of a gateway end with its lease, and those of others do not',
    steps: [
      { reserve: { allocation: 'a', candidates: [on('b1', 9)] }, answers: { outcome: 'reserved' } },
      {
        reserve: { allocation: 'c', owner: 'gw-2', leaseMs: SHORT_MS, candidates: [on('b1', 9)] },
        answers: { outcome: 'reserved' },
      },
      {
        reserve: { allocation: 'b', owner: 'gw-2', leaseMs: SHORT_MS, candidates: [on('b1', 9)] },
        answers: { outcome: 'reserved' },
      },
      { sweepsInTime: ['b', 'c'] },
      { holds: ['a'], used: { b1: 1000 } },
      { renew: 'gw-1', answers: true },
      { renew: 'nobody', answers: false },
    ],
  },
  {
    name: 'a gateway that renews its lease keeps its allocations',
    steps: [
      { reserve: { allocation: 'a', owner: 'gw-2', leaseMs: SHORT_MS }, answers: { outcome: 'reserved' } },
      { renew: 'gw-2', answers: true },
      { reserve: { allocation: 'b', owner: 'gw-3', leaseMs: SHORT_MS }, answers: { outcome: 'reserved' } },
      { sweepsInTime: ['b'] },
      { holds: ['a'], used: { b1: 1000 } },
    ],
  },
];

const RESTORING: readonly Rule[] = [
  {
    name: 'nothing is reserved until all gateways have told what they hold',
    closed: true,
    steps: [
      { reserve: {}, answers: { outcome: 'unknown' } },
      { renew: 'gw-1', answers: false },
      { release: 'a1', answers: undefined },
      { sweep: 9, answers: [] },
      { restore: { gateways: ['gw-1', 'gw-2'] }, answers: { added: 0, givenBack: [] } },
      { reserve: {}, answers: { outcome: 'restoring' } },
      {
        restore: { owner: 'gw-2', gateways: ['gw-1', 'gw-2'], allocations: [held('x', 'b1', 2)] },
        answers: { added: 1 },
      },
      { reserve: {}, answers: { outcome: 'full', short: ['milliCpu'] } },
      { holds: ['x'], used: { b1: 2000 } },
    ],
  },
  {
    name: 'a gateway restores what it holds, whether there is room or not, and nothing twice',
    steps: [
      { reserve: { allocation: 'a' }, answers: { outcome: 'reserved' } },
      {
        restore: { allocations: [held('a', 'b1', 1), held('b', 'b1', 7)] },
        answers: { added: 1, givenBack: [] },
      },
      {
        restore: { allocations: [held('a', 'b1', 1), held('b', 'b1', 7)] },
        answers: { added: 0, givenBack: [] },
      },
      { holds: ['a', 'b'], used: { b1: 8000 } },
      { release: 'b', answers: 'b1' },
      { holds: ['a'], used: { b1: 1000 } },
    ],
  },
  {
    name: 'what a gateway does not name is given back, unless it is under way or of another gateway',
    steps: [
      { reserve: { allocation: 'a', candidates: [on('b1', 9)] }, answers: { outcome: 'reserved' } },
      { reserve: { allocation: 'b', candidates: [on('b1', 9)] }, answers: { outcome: 'reserved' } },
      {
        reserve: { allocation: 'c', candidates: [on('b1', 9)], owner: 'gw-11' },
        answers: { outcome: 'reserved' },
      },
      {
        reserve: { allocation: 'd', candidates: [on('b1', 9)], owner: 'gw-' },
        answers: { outcome: 'reserved' },
      },
      { restore: { underWay: ['b', 'z'] }, answers: { added: 0, givenBack: [back('a', 'b1')] } },
      { holds: ['b', 'c', 'd'], used: { b1: 3000 } },
    ],
  },
  {
    name: 'a restored session is found again',
    steps: [
      {
        restore: { allocations: [{ ...held('x', 'b1', 1), session: session('s  1 ') }] },
        answers: { added: 1 },
      },
      { reserve: { session: session('s  1 ') }, answers: { allocation: 'x', known: true } },
      { holds: ['x'], used: { b1: 1000 } },
    ],
  },
];

export const RESERVATION_RULES: readonly Rule[] = [...PLACING, ...SESSIONS, ...EXPIRING, ...RESTORING];
