import { back, held, on, type Rule, SHORT_MS, session } from './reservation-rule.ts';

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

/** How allocations end by themselves, and come back after the store has lost them. */
export const LIFETIME_RULES: readonly Rule[] = [...EXPIRING, ...RESTORING];
