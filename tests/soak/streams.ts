import { setTimeout as sleep } from 'node:timers/promises';
import type { Lane } from './lanes.ts';
import type { SoakOptions } from './main.ts';
import { MIB, quietFiles, residentBytes } from './process-figures.ts';
import type { Report } from './report.ts';
import { SoakGateway } from './soak-gateway.ts';
import { EchoClient, EVERY_MS, EventClient, type StreamClient } from './stream-clients.ts';

/** Of each kind in each lane. */
const CLIENTS = 1000;
const OPEN_PER_TURN = 50;
const TURN_MS = 50;
/** One of each kind and lane leaves so often, and another one comes. */
const CHURN_MS = 250;
const SECONDS = 600;
const WARM_UP_MS = 30_000;
/** Longer than connections to backends are kept. */
const CLOSE_MS = 6_000;
/**
 * The heap is held to what leaks would show in; the resident memory may be more by what the allocator keeps of the memory
 * that connections had, which differs from round to round.
 */
const HEAP_GROWTH_MAX_MIB = 4;
const RSS_GROWTH_MAX_MIB = 32;

type Open = () => StreamClient;

interface Baseline {
  readonly files: number;
  readonly rssMib: number;
  readonly heapMib: number;
}

/** WebSockets and event streams that stay, some of which are replaced all the time; afterwards nothing of them is left. */
export async function soak(report: Report, { lanes, seconds }: SoakOptions): Promise<void> {
  const policy = 'limits: { connections: 20000, upgrades: 10000 }';
  const gateway = await SoakGateway.start({ policy, inspected: true });
  // The first round is where heaps and tables grow to what such a load needs.
  await new Crowd(gateway.port, lanes).stay(WARM_UP_MS);
  const before = await baseline(gateway);
  const crowd = new Crowd(gateway.port, lanes);
  await crowd.stay((seconds ?? SECONDS) * 1000);
  const after = await baseline(gateway);
  crowd.report(report);
  report.add('files left open', after.files - before.files, '', { max: 0 });
  report.add('heap before', before.heapMib, 'MiB');
  report.add('heap growth', after.heapMib - before.heapMib, 'MiB', { max: HEAP_GROWTH_MAX_MIB });
  report.add('RSS before', before.rssMib, 'MiB');
  report.add('RSS growth', after.rssMib - before.rssMib, 'MiB', { max: RSS_GROWTH_MAX_MIB });
  await gateway.stop();
}

async function baseline(gateway: SoakGateway): Promise<Baseline> {
  await sleep(CLOSE_MS);
  const heapMib = (await gateway.collectGarbage()) / MIB;
  return { heapMib, rssMib: residentBytes(gateway.pid) / MIB, files: await quietFiles(gateway.pid) };
}

/** Clients of one kind in one lane. */
interface Group {
  readonly name: string;
  readonly open: Open;
  readonly clients: StreamClient[];
  received: number;
  readonly faults: string[];
}

class Crowd {
  readonly #groups: readonly Group[];
  #replaced = 0;

  constructor(port: number, lanes: readonly Lane[]) {
    this.#groups = lanes.flatMap((lane) => [
      group(`${lane}: WebSockets`, () => new EchoClient(port, lane)),
      group(`${lane}: event streams`, () => new EventClient(port, lane)),
    ]);
  }

  /** Has all of them come, stay for a while and leave. */
  async stay(forMs: number): Promise<void> {
    for (let count = 0; count < CLIENTS; count += OPEN_PER_TURN) {
      for (const { clients, open } of this.#groups)
        clients.push(...Array.from({ length: OPEN_PER_TURN }, open));
      await sleep(TURN_MS);
    }
    const ticking = setInterval(() => this.#tick(), EVERY_MS);
    for (const endMs = performance.now() + forMs; performance.now() < endMs; ) {
      await Promise.all(this.#groups.map((each) => this.#replaceOne(each)));
      await sleep(CHURN_MS);
    }
    clearInterval(ticking);
    for (const each of this.#groups)
      await Promise.all(each.clients.map((client) => this.#leave(each, client)));
  }

  report(report: Report): void {
    for (const { name, faults, received } of this.#groups) {
      for (const fault of new Set(faults)) console.log(`  ${name}: ${fault}`);
      report.add(`${name}: messages in order`, received, '', { min: 1 });
      report.add(`${name}: faults`, faults.length, '', { max: 0 });
    }
    report.add('clients that left and were replaced', this.#replaced, '');
  }

  #tick(): void {
    for (const { clients } of this.#groups) for (const client of clients) client.tick();
  }

  async #replaceOne(each: Group): Promise<void> {
    const { clients, open } = each;
    const client = clients.shift();
    if (client !== undefined) await this.#leave(each, client);
    clients.push(open());
    this.#replaced += 1;
  }

  async #leave(each: Group, client: StreamClient): Promise<void> {
    await client.leave(this.#replaced % 2 === 0 ? 'orderly' : 'reset');
    each.received += client.received;
    if (client.fault !== undefined) each.faults.push(client.fault);
  }
}

function group(name: string, open: Open): Group {
  return { name, open, clients: [], received: 0, faults: [] };
}
