import { setTimeout as sleep } from 'node:timers/promises';
import type { QueueSettings } from '@usher/domain';
import type { StateStore } from '@usher/ports';
import { openEmbeddedStore, openRedisStore } from '@usher/state-store';
import { RecordingLog, reservationStorm, startRedisServer, wallClock } from '@usher/testing';
import { type SevenPlaces, sevenPlaces } from '../../services/gateway/src/testing/seven-places.ts';
import type { SoakOptions } from './main.ts';
import type { Report } from './report.ts';
import { killedGateways } from './reservations/killed-gateways.ts';

const OPERATIONS = 200_000;
const ROUNDS = 50;
const REQUESTS = 1_000;

/** Reservations by many who want the same, in gateways that die, over both stores. */
export async function soak(report: Report, _options: SoakOptions): Promise<void> {
  await overKilledGateways(report);
  for (const [name, start] of STORES) {
    await over(start, async (open) => await storm(report, name, [await open(), await open(), await open()]));
    for (const [kind, queue] of QUEUES) {
      const seen = await over(start, (store) =>
        sevenPlaces({ store, rounds: ROUNDS, requests: REQUESTS, queue }),
      );
      places(report, `seven places, ${name}, ${kind}`, seen, kind === 'queued');
    }
  }
}

type OpenStore = () => Promise<StateStore>;

/** A store of which nobody has anything yet, and how it is ended. */
interface Started {
  readonly open: OpenStore;
  readonly stop: () => Promise<unknown>;
}

/** A log begins where its store does, so each program gets a new one. */
const STORES: readonly (readonly [string, () => Promise<Started>])[] = [
  ['embedded', startEmbedded],
  ['redis', startRedis],
];

const QUEUES: readonly (readonly [string, QueueSettings])[] = [
  ['refused', { max: 0, timeoutMs: 1 }],
  ['queued', { max: REQUESTS, timeoutMs: 60_000 }],
];

async function over<T>(start: () => Promise<Started>, run: (open: OpenStore) => Promise<T>): Promise<T> {
  const { open, stop } = await start();
  try {
    return await run(open);
  } finally {
    await stop();
  }
}

async function startEmbedded(): Promise<Started> {
  const store = openEmbeddedStore({ clock: wallClock });
  return { open: async () => store, stop: () => store.close() };
}

async function startRedis(): Promise<Started> {
  const server = await startRedisServer();
  const opened: StateStore[] = [];
  const open = async (): Promise<StateStore> => {
    const store = await openRedisStore({ url: server.url, clock: wallClock, log: new RecordingLog() });
    opened.push(store);
    return store;
  };
  const stop = async (): Promise<void> => {
    for (const store of opened) await store.close();
    await server.stop();
  };
  return { open, stop };
}

async function overKilledGateways(report: Report): Promise<void> {
  const seen = await killedGateways(OPERATIONS);
  const what = 'killed gateways';
  report.add(`${what}: operations`, seen.operations, '', { min: OPERATIONS });
  report.add(`${what}: killed`, seen.kills, '', { min: 3 });
  report.add(`${what}: checks`, seen.checks, '', { min: 100 });
  report.add(`${what}: most allocations at a time`, seen.most, '', { min: 1 });
  report.add(`${what}: sums that were wrong or too large`, seen.wrong.length, '', { max: 0 });
  for (const wrong of seen.wrong.slice(0, 5)) console.log(`  ${wrong}`);
  report.add(`${what}: left at the end`, seen.left, '', { max: 0 });
  const { pools, violations } = seen.audit;
  report.add(`${what}: steps told`, sum(pools.map(({ steps }) => steps)), '', { min: 1 });
  report.add(`${what}: steps not told`, sum(pools.map(({ missing }) => missing)), '');
  report.add(`${what}: violations by the log`, violations.length, '', { max: 0 });
}

async function storm(report: Report, name: string, stores: readonly StateStore[]): Promise<void> {
  const reservations = stores.map((store) => store.reservations);
  // It throws where anything is wrong.
  const { reserved, givenBack, checks, deaths, unanswered } = await reservationStorm({
    reservations,
    operations: OPERATIONS,
    seed: 23,
    pass: () => sleep(1),
  });
  report.add(`storm, ${name}: reserved`, reserved, '', { min: 10_000 });
  report.add(
    `storm, ${name}: given back`,
    givenBack,
    '',
    unanswered === 0 ? { min: reserved, max: reserved } : {},
  );
  report.add(`storm, ${name}: checks`, checks, '', { min: 800 });
  report.add(`storm, ${name}: gateways that died`, deaths, '', { min: 50 });
  report.add(`storm, ${name}: calls without an answer`, unanswered, '');
}

function places(
  report: Report,
  what: string,
  { statuses, most, left, audit }: SevenPlaces,
  queued: boolean,
): void {
  const served = queued ? ROUNDS * REQUESTS : ROUNDS * 7;
  report.add(`${what}: served`, statuses[200] ?? 0, '', { min: served, max: served });
  report.add(`${what}: refused`, statuses[503] ?? 0, '', {
    min: ROUNDS * REQUESTS - served,
    max: ROUNDS * REQUESTS - served,
  });
  report.add(`${what}: most at a time`, most, '', { min: 7, max: 7 });
  report.add(`${what}: left at the end`, left, '', { max: 0 });
  report.add(`${what}: proven by the log`, Number(audit.proven), '', { min: 1 });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
