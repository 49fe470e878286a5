import { FastRandom, hashOf, type PoolSettings, type Uniform } from '@usher/domain';
import type { MessageBus } from '@usher/ports';
import { SimulatedClock, seededRandom } from '@usher/testing';
import { InFlightExchange } from '../control/in-flight-exchange.ts';
import { Observations } from '../control/observations.ts';
import type { BackendSlot, PoolTable } from '../routing-table.ts';
import { Elsewhere } from '../table/elsewhere.ts';
import { answerWith } from '../table/slot-load.ts';
import { WorkerTable } from '../table/worker-table.ts';
import type { ToWorker } from '../worker/protocol.ts';
import { policy, pool, row } from './fixtures.ts';
import { tableOptions } from './table-options.ts';

const REPORT_MS = 100;
/** What a message between gateways takes. */
const DELAY_MS = 2;

/** How a backend answers a request that it gets now. */
export interface Reply {
  readonly status: number;
  readonly afterMs: number;
}

export interface SimulatedFleetOptions {
  readonly strategy: PoolSettings['strategy'];
  readonly backends: number;
  /** Workers of each gateway, all in the same process and without threads. */
  readonly gateways: readonly number[];
  /** False: nobody knows of anybody. */
  readonly sharing: boolean;
  readonly seed?: number;
  reply(backend: string, nowMs: number, chance: Uniform): Reply;
}

interface Worker {
  readonly table: WorkerTable;
  readonly elsewhere: Elsewhere;
  readonly pool: PoolTable;
}

interface Gateway {
  readonly name: string;
  readonly workers: readonly Worker[];
  readonly exchange: InFlightExchange;
}

/** Gateways with their workers' tables, backends that take time to answer, and a clock that a test moves: no sockets. */
export class SimulatedFleet {
  readonly clock = new SimulatedClock(1_000_000);
  readonly chance: FastRandom;
  readonly gateways: readonly Gateway[];
  /** Every message between gateways. */
  readonly said: { readonly subject: string; readonly payload: string }[] = [];
  /** Requests under way by backend, as they really are. */
  readonly truth = new Map<string, number>();
  /** Requests that each backend got. */
  readonly got = new Map<string, number>();
  readonly #options: SimulatedFleetOptions;
  readonly #running = new Map<string, { running: boolean }>();
  readonly #listeners = new Set<(subject: string, payload: string) => void>();
  readonly #endings = new Map<number, (() => void)[]>();

  constructor(options: SimulatedFleetOptions) {
    this.#options = options;
    this.chance = new FastRandom(seededRandom(options.seed ?? 1));
    this.gateways = options.gateways.map((workers, index) => this.#newGateway(`gw-${index + 1}`, workers));
    for (let each = 0; each < options.backends; each++) this.setBackend(`b${each}`);
  }

  /** Declares a backend to all workers, or changes it. */
  setBackend(id: string, eligible = true): void {
    this.truth.set(id, this.truth.get(id) ?? 0);
    this.#apply([{ kind: 'backend', row: row(id, { eligible }) }]);
  }

  /** Requests come by chance, so many a second, in proportion to `shares` of the workers; `each` is called every millisecond. */
  run(ms: number, perSecond = 0, shares: readonly number[] = [], each: () => void = () => {}): void {
    const workers = this.gateways.flatMap((gateway) => gateway.workers);
    const meansMs = workers.map((_, index) => 1_000 / (perSecond * (shares[index] ?? 0)));
    const next = meansMs.map((meanMs) => this.clock.now() + exponential(meanMs, this.chance));
    for (const endMs = this.clock.now() + ms; this.clock.now() < endMs; this.clock.advance(1)) {
      const nowMs = this.clock.now();
      for (const end of this.#endings.get(nowMs) ?? []) end();
      this.#endings.delete(nowMs);
      for (const [index, worker] of workers.entries()) {
        while (next[index]! <= nowMs) {
          next[index]! += exponential(meansMs[index]!, this.chance);
          this.request(worker);
        }
      }
      each();
    }
  }

  /** One request; undefined when no backend took it. */
  request({ table, pool: own }: Worker): BackendSlot | undefined {
    const key = hashOf(String(this.chance.next()));
    const slot = table.pick(own, [], { key, tier: 0, from: undefined });
    if (slot === undefined || !table.begin(slot)) return undefined;
    const startMs = this.clock.now();
    const { status, afterMs } = this.#options.reply(slot.id, startMs, this.chance);
    this.#count(slot.id, 1);
    this.got.set(slot.id, (this.got.get(slot.id) ?? 0) + 1);
    const endMs = startMs + Math.max(1, Math.round(afterMs));
    const ending = (): void => {
      this.#count(slot.id, -1);
      if (own.hears) table.hear(slot, answerWith(status), endMs - startMs, endMs);
      table.finish(own, slot, status >= 500 ? 'server_error' : 'ok', endMs - startMs, endMs);
    };
    const others = this.#endings.get(endMs);
    if (others === undefined) this.#endings.set(endMs, [ending]);
    else others.push(ending);
    return slot;
  }

  /** It is not heard of again, and nobody says that it is gone. */
  kill(gateway: string): void {
    this.gateways.find(({ name }) => name === gateway)!.exchange.stop();
  }

  /** The log says that it is gone, or back. */
  setRunning(gateway: string, running: boolean): void {
    this.#running.set(gateway, { running });
  }

  #count(backend: string, requests: number): void {
    this.truth.set(backend, this.truth.get(backend)! + requests);
  }

  #newGateway(name: string, count: number): Gateway {
    const { sharing } = this.#options;
    const workers = Array.from({ length: count }, () => this.#newWorker());
    const observations = new Observations(name, { tell: () => true }, this.clock.now());
    this.setRunning(name, true);
    const exchange = new InFlightExchange(
      {
        instance: name,
        bus: this.#bus(),
        fleet: { state: { gateways: this.#running, backends: new Map() } },
        clock: this.clock,
      },
      observations,
      { needsLoad: () => true },
      {
        count,
        post: (worker: number, message: ToWorker) => {
          const { elsewhere, table } = workers[worker]!;
          if (message.kind === 'elsewhere') elsewhere.hear(table.pools, message.inFlight);
        },
      },
    );
    // Nobody begins at the same moment as another.
    const begin = (): number => Math.floor(this.chance.next() * REPORT_MS);
    if (sharing) this.clock.after(begin(), () => exchange.start());
    for (const [index, { table }] of workers.entries()) {
      const report = (): void => {
        table.tick(this.clock.now());
        observations.add(index, { position: 0, requests: 0, errors: 0, backends: table.observe() });
      };
      this.clock.after(begin(), () => this.clock.every(REPORT_MS, report));
    }
    return { name, workers, exchange };
  }

  #newWorker(): Worker {
    const random = FastRandom.from(Array.from({ length: 4 }, () => this.chance.next()));
    const table = new WorkerTable(tableOptions(0, { random, now: () => this.clock.now() }));
    const settings = pool({ strategy: this.#options.strategy });
    table.apply(
      [
        { kind: 'pool', settings },
        { kind: 'policy', policy: policy() },
      ],
      0,
      this.clock.now(),
    );
    return { table, elsewhere: new Elsewhere(), pool: table.match('any', '/')!.pool };
  }

  #apply(deltas: Parameters<WorkerTable['apply']>[0]): void {
    for (const { workers } of this.gateways)
      for (const { table } of workers) table.apply(deltas, 0, this.clock.now());
  }

  #bus(): Pick<MessageBus, 'publish' | 'subscribe'> {
    return {
      publish: (subject, payload) => {
        this.said.push({ subject, payload });
        this.clock.after(DELAY_MS, () => {
          for (const hear of this.#listeners) hear(subject, payload);
        });
      },
      subscribe: (_subject, hear) => {
        this.#listeners.add(hear);
        return { stop: () => void this.#listeners.delete(hear) };
      },
    };
  }
}

/** Time to the next of events that come by chance, every `meanMs` on average. */
export function exponential(meanMs: number, chance: Uniform): number {
  return -Math.log(1 - chance.next()) * meanMs;
}
