import {
  back,
  cores,
  held,
  on,
  type Rule,
  SHORT_MS,
  type Step,
  session,
  USUAL_TOLD,
} from './reservation-rule.ts';

/** A gateway that holds nothing, and whose lease is about to end. */
const shortLived = (owner: string): Step => ({
  restore: { owner, leaseMs: SHORT_MS },
  answers: { added: [] },
});

const KEPT = { outcome: 'renewed', missing: [] };
const UNKNOWN = { outcome: 'unknown' };

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
      shortLived('gw-2'),
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
      { renew: 'gw-1', answers: KEPT },
      { renew: 'nobody', answers: UNKNOWN },
    ],
  },
  {
    name: 'a gateway whose lease was swept has to tell what it holds before it reserves again',
    steps: [
      shortLived('gw-2'),
      { reserve: { allocation: 'a', owner: 'gw-2', leaseMs: SHORT_MS }, answers: { outcome: 'reserved' } },
      { sweepsInTime: ['a'] },
      { reserve: { allocation: 'b', owner: 'gw-2' }, answers: { outcome: 'unknown' } },
      { renew: 'gw-2', answers: UNKNOWN },
      {
        restore: { owner: 'gw-2', allocations: [held('a', 'b1', 1)] },
        answers: { added: [{ allocation: 'a' }] },
      },
      { reserve: { allocation: 'b', owner: 'gw-2' }, answers: { outcome: 'reserved' } },
      { holds: ['a', 'b'], used: { b1: 2000 } },
    ],
  },
  {
    name: 'allocations named in a renewal last, and those that are not there are told',
    steps: [
      { reserve: { allocation: 'a', ttlMs: SHORT_MS }, answers: { outcome: 'reserved' } },
      { renew: 'gw-1', keeps: ['a'], answers: KEPT },
      { reserve: { allocation: 'b', ttlMs: SHORT_MS, owner: 'gw-2' }, answers: { outcome: 'reserved' } },
      { sweepsInTime: ['b'] },
      { renew: 'gw-1', keeps: ['a', 'b'], answers: { outcome: 'renewed', missing: ['b'] } },
      { holds: ['a'], used: { b1: 1000 } },
    ],
  },
  {
    name: 'a gateway that renews its lease keeps its allocations',
    steps: [
      shortLived('gw-2'),
      { reserve: { allocation: 'a', owner: 'gw-2', leaseMs: SHORT_MS }, answers: { outcome: 'reserved' } },
      { renew: 'gw-2', answers: KEPT },
      shortLived('gw-3'),
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
      { renew: 'gw-1', answers: UNKNOWN },
      { release: 'a1', answers: undefined },
      { sweep: 9, answers: [] },
      { restore: { gateways: ['gw-1', 'gw-2'] }, answers: { added: [], givenBack: [] } },
      { reserve: {}, answers: { outcome: 'restoring' } },
      {
        restore: { owner: 'gw-2', gateways: ['gw-1', 'gw-2'], allocations: [held('x', 'b1', 2)] },
        answers: { opensInMs: 0, added: [{ allocation: 'x', at: { step: 1 } }] },
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
        answers: { added: [{ allocation: 'b' }], givenBack: [] },
      },
      {
        restore: { allocations: [held('a', 'b1', 1), held('b', 'b1', 7)] },
        answers: { added: [], givenBack: [] },
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
      { restore: { underWay: ['b', 'z'] }, answers: { added: [], givenBack: [back('a', 'b1')] } },
      { holds: ['b', 'c', 'd'], used: { b1: 3000 } },
    ],
  },
  {
    name: 'a restored session is found again',
    steps: [
      {
        restore: { allocations: [{ ...held('x', 'b1', 1), session: session('s  1 ') }] },
        answers: { added: [{ allocation: 'x' }] },
      },
      { reserve: { session: session('s  1 ') }, answers: { allocation: 'x', known: true } },
      { holds: ['x'], used: { b1: 1000 } },
    ],
  },
  {
    name: 'a session that has moved since is not brought back by what a gateway restores',
    steps: [
      { reserve: { allocation: 'a', session: session('s') }, answers: { backend: 'b1' } },
      {
        reserve: { allocation: 'b', owner: 'gw-2', session: session('s'), candidates: [on('b2', 1)] },
        answers: { backend: 'b2', movedFrom: back('a', 'b1') },
      },
      {
        restore: { allocations: [{ ...held('a', 'b1', 1), session: session('s') }] },
        answers: { added: [{ allocation: 'a' }] },
      },
      {
        reserve: { allocation: 'c', session: session('s'), candidates: [on('b1', 2), on('b2', 1)] },
        answers: { allocation: 'b', known: true },
      },
    ],
  },
];

const LATE: readonly Rule[] = [
  {
    name: 'what a gateway said before it told anew undoes nothing when it arrives afterwards',
    steps: [
      { restore: { told: 'second', after: USUAL_TOLD }, answers: { outcome: 'restored' } },
      { reserve: { told: 'second', allocation: 'a' }, answers: { outcome: 'reserved' } },
      {
        restore: { told: 'lost', after: USUAL_TOLD, allocations: [held('x', 'b1', 1)] },
        answers: { outcome: 'late', told: 'second' },
      },
      { restore: { told: 'of an earlier life', after: '' }, answers: { outcome: 'late', told: 'second' } },
      { holds: ['a'], used: { b1: 1000 } },
      { restore: { told: 'third', after: 'second' }, answers: { givenBack: [back('a', 'b1')] } },
    ],
  },
  {
    name: 'what a gateway asked for before it told anew comes to nothing',
    steps: [
      { restore: { told: 'second', after: USUAL_TOLD }, answers: { outcome: 'restored' } },
      { reserve: { allocation: 'a' }, answers: UNKNOWN },
      { renew: 'gw-1', answers: UNKNOWN },
      { holds: [], used: {} },
      { reserve: { told: 'second', allocation: 'b' }, answers: { outcome: 'reserved' } },
      { renew: 'gw-1', told: 'second', keeps: ['b'], answers: KEPT },
    ],
  },
  {
    name: 'a gateway that is not known any more is heard, whatever it said last',
    steps: [
      shortLived('gw-2'),
      { reserve: { allocation: 'a', owner: 'gw-2', leaseMs: SHORT_MS }, answers: { outcome: 'reserved' } },
      { sweepsInTime: ['a'] },
      { restore: { owner: 'gw-2', told: 'new', after: 'unheard of' }, answers: { outcome: 'restored' } },
      { reserve: { owner: 'gw-2', told: 'new' }, answers: { outcome: 'reserved' } },
    ],
  },
];

const STEPS: readonly Rule[] = [
  {
    name: 'each reservation, give-back and change of owner is one step, and nothing else is',
    steps: [
      { reserve: { allocation: 'a', candidates: [on('b1', 9)] }, answers: { at: { step: 1 } } },
      { reserve: { allocation: 'b', candidates: [on('b1', 0)] }, answers: { outcome: 'full' } },
      { reserve: { allocation: 'b', session: session('s') }, answers: { at: { step: 2 } } },
      { reserve: { allocation: 'a' }, answers: { known: true, at: { step: 1 } } },
      { reserve: { allocation: 'c', session: session('s') }, answers: { known: true, at: { step: 2 } } },
      { renew: 'gw-1', keeps: ['a', 'b'], answers: KEPT },
      {
        reserve: { allocation: 'c', owner: 'gw-2', session: session('s') },
        answers: { allocation: 'b', known: true, at: { step: 3 } },
      },
      { release: 'b', answers: undefined },
      {
        reserve: { allocation: 'c', owner: 'gw-2', session: session('s'), candidates: [on('b2', 1)] },
        answers: { movedFrom: { ...back('b', 'b1'), at: { step: 4 } }, at: { step: 5 } },
      },
      { release: 'c', by: 'gw-2', answers: 'b2' },
      {
        restore: { allocations: [held('d', 'b1', 1)] },
        answers: { givenBack: [{ ...back('a', 'b1'), at: { step: 7 } }], added: [{ at: { step: 8 } }] },
      },
      { reserve: { allocation: 'e', ttlMs: SHORT_MS }, answers: { at: { step: 9 } } },
      { sweepsInTime: ['e'] },
      { reserve: { allocation: 'f' }, answers: { at: { step: 11 } } },
    ],
  },
  {
    name: 'what was reserved is told, whatever the same session asks for later',
    steps: [
      { reserve: { allocation: 'a', session: session('s') }, answers: { resources: cores(1) } },
      {
        reserve: { allocation: 'b', session: session('s'), resources: cores(2) },
        answers: { allocation: 'a', resources: cores(1) },
      },
    ],
  },
];

/** How allocations end by themselves, and come back after the store has lost them. */
export const LIFETIME_RULES: readonly Rule[] = [...EXPIRING, ...RESTORING, ...LATE, ...STEPS];
