import type { Invariant } from '../checks/findings.ts';
import {
  allEmptied,
  appending,
  applyAndInvent,
  applyMoodily,
  boundless,
  choosy,
  deafTo,
  despairing,
  ForgetfulDisk,
  failingOpen,
  finishing,
  generous,
  HastyDisk,
  hasty,
  idle,
  keeping,
  onlyTripped,
  renamed,
  reserving,
  saying,
  skipTerms,
  straying,
  undeclared,
  withoutReceipts,
} from './planted.ts';
import type { Tampering } from './tampering.ts';

/** A fault of the product, planted in the place of the right part, and what must find it. */
export interface Mutation {
  readonly name: string;
  /** Any of these finds it, whichever comes first. */
  readonly foundBy: readonly Invariant[];
  readonly plant: () => Tampering;
}

const COMMANDS = 'no acknowledged command is lost or applied twice';
const PROJECTIONS = 'all projections are equal after quiet';

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'the log acknowledges before its disk has it',
    foundBy: [COMMANDS, PROJECTIONS, 'a replay gives the live digest', 'at most one leader acts'],
    plant: () => ({ disk: () => new HastyDisk() }),
  },
  {
    name: 'the log says yes to a command and stores nothing',
    foundBy: [COMMANDS],
    plant: () => ({ events: saying }),
  },
  {
    name: 'the log forgets which ids it has',
    foundBy: ['facts are counted once', COMMANDS, 'capacity is never exceeded'],
    plant: () => ({ disk: () => new ForgetfulDisk() }),
  },
  {
    name: 'the log does not check what a writer expects',
    foundBy: ['at most one leader acts'],
    plant: () => ({ events: (events) => appending(events, ({ subject, events }) => ({ subject, events })) }),
  },
  {
    name: 'a reader misses a record now and then',
    foundBy: [PROJECTIONS, 'a replay gives the live digest', 'nothing fails inside'],
    plant: () => ({ fold: (fold, record) => void (record.position % 17 === 0 || fold.apply(record)) }),
  },
  {
    name: 'gateways fold by their own mood',
    foundBy: [PROJECTIONS],
    plant: () => ({ fold: (fold, record, process) => applyMoodily(fold, record, process) }),
  },
  {
    name: 'all folds keep what the log does not say',
    foundBy: ['a replay gives the live digest'],
    plant: () => ({ fold: (fold, record) => applyAndInvent(fold, record) }),
  },
  {
    name: 'a gateway does not hear of healthy backends',
    foundBy: [PROJECTIONS],
    plant: () => ({
      fleet: (fleet, service) => (service === 'gateway' ? deafTo(fleet, 'backend.became_healthy') : fleet),
    }),
  },
  {
    name: 'the scheduler takes those that tripped for all that vote',
    foundBy: ['the fleet breaker opens by a quorum'],
    plant: () => ({ fleet: (fleet, service) => (service === 'scheduler' ? onlyTripped(fleet) : fleet) }),
  },
  {
    name: 'the scheduler takes no word for an empty backend',
    foundBy: ['a drain ends empty or at its deadline'],
    plant: () => ({ fleet: (fleet, service) => (service === 'scheduler' ? allEmptied(fleet) : fleet) }),
  },
  {
    name: 'the scheduler forgets what it accepted',
    foundBy: [COMMANDS],
    plant: () => ({ fleet: (fleet, service) => (service === 'scheduler' ? withoutReceipts(fleet) : fleet) }),
  },
  {
    name: 'a scheduler invents the next term',
    foundBy: ['at most one leader acts'],
    plant: () => ({ events: (events) => appending(events, skipTerms) }),
  },
  {
    name: 'the store forgets to count',
    foundBy: ['capacity is never exceeded'],
    plant: () => ({ store: (store) => reserving(store, boundless) }),
  },
  {
    name: 'the store opens before all have told',
    foundBy: ['capacity is never exceeded'],
    plant: () => ({ store: (store) => reserving(store, hasty) }),
  },
  {
    name: 'the store keeps what is given back',
    foundBy: ['what was reserved is given back', 'capacity is never exceeded'],
    plant: () => ({ store: (store) => reserving(store, keeping) }),
  },
  {
    name: 'workers give nothing back',
    foundBy: ['what was reserved is given back'],
    plant: () => ({ worker: (message) => (message.kind === 'give_back' ? undefined : message) }),
  },
  {
    name: 'the outbox sends facts twice',
    foundBy: ['facts are counted once'],
    plant: () => ({
      outbox: (outbox) => ({
        offer: (subject, events) => {
          outbox.offer(subject, events.map(renamed));
          return outbox.offer(subject, events);
        },
        flush: (timeoutMs) => outbox.flush(timeoutMs),
        get pending() {
          return outbox.pending;
        },
      }),
    }),
  },
  {
    name: 'the outbox loses facts',
    foundBy: ['facts are counted once', 'the fleet is well again after quiet'],
    plant: () => ({
      outbox: (outbox) => ({
        offer: (subject, events) =>
          events.some(({ type }) => type === 'gateway.observed') ? true : outbox.offer(subject, events),
        flush: (timeoutMs) => outbox.flush(timeoutMs),
        get pending() {
          return outbox.pending;
        },
      }),
    }),
  },
  {
    name: 'somebody writes what nobody declared',
    foundBy: ['every event is declared and written by its writer'],
    plant: () => ({ events: (events) => appending(events, undeclared) }),
  },
  {
    name: 'the log takes no word of gateways',
    foundBy: ['nothing fails inside'],
    plant: () => ({ events: (events) => appending(events, choosy) }),
  },
  {
    name: 'a worker ends an attempt twice',
    foundBy: ['nothing is under way less than zero times'],
    plant: () => ({ table: (table) => finishing(table, 2) }),
  },
  {
    name: 'a worker forgets to end attempts',
    foundBy: ['nothing is under way less than zero times', 'facts are counted once'],
    plant: () => ({ table: (table) => finishing(table, 0) }),
  },
  {
    name: 'a worker sends to whom nobody wants',
    foundBy: ['requests go only where they may'],
    plant: () => ({ table: straying }),
  },
  {
    name: 'workers take every pool for one that fails open',
    foundBy: ['requests go only where they may'],
    plant: () => ({ delta: failingOpen }),
  },
  {
    name: 'workers may eject more than the pool allows',
    foundBy: ['never too much of a pool is ejected'],
    plant: () => ({ delta: generous }),
  },
  {
    name: 'backends are said to be well that nobody asked',
    foundBy: ['health follows probes'],
    plant: () => ({ prober: () => ({ probe: async () => ({ ok: true, latencyMs: 1 }) }) }),
  },
  {
    name: 'a prober sees nothing but failures after a while',
    foundBy: ['the fleet is well again after quiet'],
    plant: () => ({ prober: despairing }),
  },
  {
    name: 'workers say that nothing is under way',
    foundBy: ['a drain ends empty or at its deadline', PROJECTIONS],
    plant: () => ({ worker: (message) => (message.kind === 'observed' ? idle(message) : message) }),
  },
];
