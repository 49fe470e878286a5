import { NO_RESOURCES } from '@usher/domain';
import { LIFETIME_RULES } from './reservation-lifetime-rules.ts';
import { back, cores, GIB, on, type Rule, SHORT_MS, session } from './reservation-rule.ts';

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
    name: 'it is given back exactly once, by its owner',
    steps: [
      { reserve: { resources: cores(2) }, answers: { outcome: 'reserved' } },
      { release: 'a1', by: 'gw-2', answers: undefined },
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
      { restore: { owner: 'gw-2', leaseMs: SHORT_MS }, answers: { added: [] } },
      { reserve: { owner: 'gw-2', leaseMs: SHORT_MS, session: session('s') }, answers: { known: false } },
      { reserve: { owner: 'gw-2', leaseMs: SHORT_MS, allocation: 'a2' }, answers: { known: false } },
      { reserve: { allocation: 'a3', session: session('s') }, answers: { allocation: 'a1', known: true } },
      { sweepsInTime: ['a2'] },
      { holds: ['a1'], used: { b1: 1000 } },
    ],
  },
];

export const RESERVATION_RULES: readonly Rule[] = [...PLACING, ...SESSIONS, ...LIFETIME_RULES];
