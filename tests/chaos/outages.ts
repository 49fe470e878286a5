import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsServer, RedisServer } from '@usher/testing';
import type { Report } from '../soak/report.ts';
import { until } from '../support/wait.ts';
import type { ChaosClient } from './chaos-client.ts';
import { ChaosFleet } from './chaos-fleet.ts';
import type { Sample } from './client/messages.ts';
import { LogFacts } from './log-facts.ts';
import type { ChaosOptions } from './main.ts';
import { leaderOf } from './nats-leader.ts';

const RATE_PER_S = 500;
/** What is normal is measured for so long before each outage. */
const NORMAL_MS = 8_000;
/** Connections are opened and code is compiled in it. */
const WARM_UP_MS = 3_000;
const DOWN_MS = 5_000;
const FREEZE_MS = 30_000;
const QUICK_FREEZE_MS = 6_000;
const AFTER_MS = 4_000;
const AGREE_LIMIT_MS = 5_000;
/** What happens in it is measured but not held to what is normal. */
const FIRST_MS = 1_000;
const CLIENT_LIMIT_MS = 1_000;
const FACTS_LIMIT_MS = 10_000;

/** What is taken away, and how it comes back. */
interface Victim {
  readonly name: string;
  /** Called before the load begins. */
  choose?(): Promise<void>;
  kill(): Promise<void>;
  restart(): Promise<void>;
  freeze(): void;
  thaw(): void;
}

type Kind = 'killed' | 'frozen';

/** Every part of the system is killed, and then frozen, under a steady load of plain requests. */
export async function chaos(report: Report, options: ChaosOptions): Promise<void> {
  await overFleet('single', report, options, (fleet) => [
    { name: 'NATS', ...serverVictim(fleet.nats[0]!) },
    { name: 'Redis', ...serverVictim(fleet.redis) },
    ...['scheduler', 'health', 'collector', 'gateway-2'].map((name) => serviceVictim(fleet, name)),
  ]);
  await overFleet('cluster', report, options, (fleet) => [leaderVictim(fleet.nats)]);
}

/** Of a cluster, the node that matters most. */
function leaderVictim(servers: readonly NatsServer[]): Victim {
  let leader: NatsServer;
  return {
    name: 'one NATS node of three',
    choose: async () => {
      leader = await leaderOf(servers);
    },
    kill: () => leader.kill9(),
    restart: () => leader.restart(),
    freeze: () => leader.freeze(),
    thaw: () => leader.thaw(),
  };
}

function serverVictim(server: NatsServer | RedisServer): Omit<Victim, 'name'> {
  return {
    kill: () => server.kill9(),
    restart: () => server.restart(),
    freeze: () => server.freeze(),
    thaw: () => server.thaw(),
  };
}

function serviceVictim(fleet: ChaosFleet, name: string): Victim {
  const service = fleet.service(name);
  return {
    name,
    kill: () => service.kill9(),
    restart: () => service.start(),
    freeze: () => service.freeze(),
    thaw: () => service.thaw(),
  };
}

async function overFleet(
  nats: 'single' | 'cluster',
  report: Report,
  { only, quick }: ChaosOptions,
  victimsOf: (fleet: ChaosFleet) => readonly Victim[],
): Promise<void> {
  const fleet = await ChaosFleet.start({ nats });
  const facts = await LogFacts.open(fleet.nats.map(({ url }) => url));
  const client = fleet.client(RATE_PER_S, CLIENT_LIMIT_MS);
  try {
    await fleet.service('scheduler').eligible('b0', 'b1', 'b2');
    for (const victim of victimsOf(fleet)) {
      if (only !== undefined && !victim.name.includes(only)) continue;
      for (const kind of ['killed', 'frozen'] as const) {
        const outage = new Outage(fleet, client, facts, victim, kind);
        await outage.run(report, kind === 'killed' ? DOWN_MS : quick ? QUICK_FREEZE_MS : FREEZE_MS);
      }
    }
  } finally {
    await client.stop();
    await facts.close();
    await fleet.stop();
  }
}

/** In milliseconds since the epoch. */
interface Span {
  /** When something was taken away. */
  readonly fromMs: number;
  /** When it began to come back, and when it was there. */
  readonly backMs: number;
  readonly toMs: number;
}

class Outage {
  readonly #fleet: ChaosFleet;
  readonly #client: ChaosClient;
  readonly #facts: LogFacts;
  readonly #victim: Victim;
  readonly #kind: Kind;

  constructor(fleet: ChaosFleet, client: ChaosClient, facts: LogFacts, victim: Victim, kind: Kind) {
    this.#fleet = fleet;
    this.#client = client;
    this.#facts = facts;
    this.#victim = victim;
    this.#kind = kind;
  }

  async run(report: Report, downMs: number): Promise<void> {
    const before = new Map(this.#facts.requests);
    const what = `${this.#victim.name} ${this.#kind}`;
    await this.#victim.choose?.();
    this.#client.go();
    await sleep(WARM_UP_MS + NORMAL_MS);
    const fromMs = Date.now();
    if (this.#kind === 'killed') await this.#victim.kill();
    else this.#victim.freeze();
    await sleep(downMs);
    const backMs = Date.now();
    if (this.#kind === 'killed') await this.#victim.restart();
    else this.#victim.thaw();
    const toMs = Date.now();
    const span = { fromMs, backMs, toMs };
    const agreedMs = await this.#fleet.agreed(3 * AGREE_LIMIT_MS);
    await sleep(Math.max(0, toMs + AFTER_MS - Date.now()));
    const samples = await this.#client.rest();
    this.#reportRequests(report, what, samples, span);
    report.add(`${what}: all digests are equal after`, agreedMs, 'ms', { max: AGREE_LIMIT_MS });
    await this.#reportFacts(report, what, samples, before);
  }

  #reportRequests(report: Report, what: string, samples: readonly Sample[], span: Span): void {
    const { fromMs, backMs, toMs } = span;
    const bad = samples.filter(({ ending }) => ending !== 200);
    const own = bad.filter(({ ending, gateway }) => typeof ending === 'string' && this.#isVictim(gateway));
    for (const { ending, dueMs, gateway } of bad.filter((each) => !own.includes(each)).slice(0, 5))
      console.log(`    ${ending} at gateway-${gateway + 1} ${(dueMs - fromMs).toFixed(0)} ms after it began`);
    report.add(`${what}: requests`, samples.length, '');
    report.add(`${what}: failed`, bad.length - own.length, '', { max: 0 });
    if (own.length > 0) report.add(`${what}: under way in the gateway itself`, own.length, '');
    const normal = p99(samples.filter(({ dueMs }) => dueMs >= fromMs - NORMAL_MS && dueMs < fromMs));
    const first = samples.filter(({ dueMs }) => dueMs >= fromMs && dueMs < fromMs + FIRST_MS);
    const later = samples.filter(
      ({ dueMs }) => dueMs >= fromMs + FIRST_MS && (dueMs < backMs || dueMs > toMs + FIRST_MS),
    );
    report.add(`${what}: held up by the client's machine`, samples.filter(({ heldUp }) => heldUp).length, '');
    report.add(`${what}: p99 before`, normal, 'ms');
    report.add(`${what}: p99 in the first second`, p99(first), 'ms');
    report.add(`${what}: p99 after the first second`, p99(later), 'ms', { max: 2 * normal });
  }

  #isVictim(gateway: number): boolean {
    return this.#victim.name === `gateway-${gateway + 1}`;
  }

  /** What the log says that the gateways answered is what their clients got, once it has been told. */
  async #reportFacts(
    report: Report,
    what: string,
    samples: readonly Sample[],
    before: ReadonlyMap<string, number>,
  ): Promise<void> {
    for (const place of this.#fleet.gateways.keys()) {
      const gateway = `gateway-${place + 1}`;
      const answered = samples.filter(
        (sample) => sample.gateway === place && typeof sample.ending === 'number',
      ).length;
      const told = (): number => (this.#facts.requests.get(gateway) ?? 0) - (before.get(gateway) ?? 0);
      await until('the log knows all', () => told() >= answered, FACTS_LIMIT_MS).catch(() => {});
      const bar = this.#isVictim(place) ? {} : { max: 0, min: 0 };
      report.add(`${what}: answers by ${gateway} that the log lacks`, answered - told(), '', bar);
    }
    report.add(`${what}: events twice in the log`, this.#facts.repeated, '', { max: 0 });
  }
}

function p99(samples: readonly Sample[]): number {
  const sorted = samples
    .flatMap(({ heldUp, latencyMs }) => (heldUp ? [] : [latencyMs]))
    .toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN;
}
