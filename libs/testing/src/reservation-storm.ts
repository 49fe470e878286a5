import { DIMENSIONS, NO_RESOURCES, type Resources, type StoreStep } from '@usher/domain';
import type { GivenBack, Random, ReservationCandidate, Reservations, RestoredAllocation } from '@usher/ports';
import { insist } from './insist.ts';
import { seededRandom } from './seeded-random.ts';

const POOL = 'storm';
const GATEWAYS = 4;
const IN_FLIGHT = 48;
const CHECK_EVERY = 250;
const LEASE_MS = 200;
const TTL_MAX_MS = 60;
const CAPACITY: Resources = {
  milliCpu: 8000,
  memoryBytes: 2 ** 36,
  storageBytes: 2 ** 40,
  gpus: 4,
  gpuMemoryBytes: 2 ** 36,
};
const CANDIDATES: readonly ReservationCandidate[] = ['b1', 'b2', 'b3', 'b4', 'b5'].map((backend, index) => ({
  backend,
  capacity: CAPACITY,
  max: index === 0 ? 3 : 0,
}));

export interface StormOptions {
  /** One for each connection; calls go to them in turn. */
  readonly reservations: readonly Reservations[];
  readonly operations: number;
  readonly seed: number;
  /** Lets a few milliseconds pass by the store's clock. */
  readonly pass: () => Promise<void>;
}

export interface StormResult {
  readonly reserved: number;
  readonly givenBack: number;
  readonly checks: number;
  readonly deaths: number;
  /** Calls that the store did not answer in time; what they gave back is not known. */
  readonly unanswered: number;
}

/**
 * Random reservations, repetitions, releases, renewals and sweeps by gateways that die without a word and come back
 * under other names. Throws when the store's sums are not those of its allocations, more is reserved than there is, an
 * allocation is not given back as often as it was reserved, a step is told of two changes or of none, or anything is left
 * when all gateways are gone.
 */
export async function reservationStorm(options: StormOptions): Promise<StormResult> {
  const storm = new Storm(options);
  await storm.run();
  return storm.result;
}

interface Gateway {
  readonly name: string;
  readonly held: Map<string, RestoredAllocation>;
}

class Storm {
  readonly #options: StormOptions;
  readonly #random: Random;
  /** By allocation: how often it was reserved beyond how often it was given back. */
  readonly #balance = new Map<string, number>();
  /** What each step of the store was about. */
  readonly #steps = new Map<number, string>();
  #lastStep = 0;
  readonly #gateways: Gateway[] = [];
  #calls = 0;
  #named = 0;
  #checks = 0;
  #reserved = 0;
  #givenBack = 0;
  #unanswered = 0;

  constructor(options: StormOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
  }

  get result(): StormResult {
    return {
      reserved: this.#reserved,
      givenBack: this.#givenBack,
      checks: this.#checks,
      deaths: this.#named - GATEWAYS,
      unanswered: this.#unanswered,
    };
  }

  async run(): Promise<void> {
    for (let i = 0; i < GATEWAYS; i++) this.#gateways.push(this.#newGateway());
    for (const gateway of this.#gateways) await this.#restore(gateway);
    const worker = async (): Promise<void> => {
      while (this.#calls < this.#options.operations) {
        const call = this.#calls++;
        await this.#operate();
        if (call % CHECK_EVERY === 0) await this.#check();
        if (call % IN_FLIGHT === 0) await this.#options.pass();
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
    for (const gateway of this.#gateways) gateway.held.clear();
    while ((await this.#check()) > 0) {
      this.#took(await this.#ask((store) => store.sweep(POOL, 100)));
      await this.#options.pass();
    }
    const uneven = [...this.#balance].filter(([, balance]) => balance !== 0);
    if (uneven.length > 0 && this.#unanswered === 0)
      throw new Error(`reserved more or less often than given back: ${JSON.stringify(uneven.slice(0, 5))}`);
    if (this.#lastStep !== this.#steps.size && this.#unanswered === 0)
      throw new Error(`of ${this.#lastStep} steps only ${this.#steps.size} were told`);
  }

  async #operate(): Promise<void> {
    const slot = this.#below(GATEWAYS);
    const gateway = this.#gateways[slot]!;
    const dice = this.#random.next();
    if (dice < 0.5) return this.#reserve(gateway);
    if (dice < 0.9) return this.#release(gateway);
    if (dice < 0.96) {
      return this.#renew(gateway);
    }
    if (dice < 0.999) return this.#took(await this.#ask((store) => store.sweep(POOL, 1 + this.#below(8))));
    const heir = this.#newGateway();
    this.#gateways[slot] = heir;
    await this.#restore(heir);
  }

  async #reserve(gateway: Gateway): Promise<void> {
    const repeated = this.#random.next() < 0.1 ? this.#anyOf([...gateway.held.keys()]) : undefined;
    const allocation = repeated ?? this.#random.uuid();
    const resources = {
      ...NO_RESOURCES,
      milliCpu: this.#below(3000),
      memoryBytes: this.#below(2 ** 34),
      gpus: this.#below(2),
    };
    const session =
      this.#random.next() < 0.3 ? { id: `s ${this.#below(20)}`, tier: `t${this.#below(2)}` } : undefined;
    const start = this.#below(CANDIDATES.length);
    const candidates = [...CANDIDATES.slice(start), ...CANDIDATES.slice(0, start)].slice(
      0,
      1 + this.#below(4),
    );
    const ttlMs = 1 + this.#below(TTL_MAX_MS);
    const answer = await this.#ask((store) =>
      store.reserve({
        pool: POOL,
        allocation,
        owner: gateway.name,
        told: gateway.name,
        leaseMs: LEASE_MS,
        ttlMs,
        resources,
        candidates,
        session,
      }),
    );
    // Its lease has run out.
    if (answer.outcome === 'unknown') return this.#restore(gateway);
    if (answer.outcome === 'restoring') throw new Error('the pool is closed');
    this.#took(answer.expired);
    if (answer.outcome === 'full') return;
    this.#saw(answer.at, `${answer.allocation} held`);
    if (!answer.known) {
      this.#reserved += 1;
      this.#weigh(answer.allocation, 1);
    }
    if (answer.movedFrom !== undefined) this.#took([answer.movedFrom]);
    const { backend } = answer;
    gateway.held.set(answer.allocation, {
      allocation: answer.allocation,
      backend,
      resources,
      ttlMs,
      session,
    });
  }

  async #release(gateway: Gateway): Promise<void> {
    const allocation = this.#anyOf([...gateway.held.keys()]);
    if (allocation === undefined) return;
    if (this.#random.next() < 0.95) gateway.held.delete(allocation);
    this.#took(await this.#ask((store) => store.release(POOL, gateway.name, [allocation])));
  }

  /** Keeps a few allocations alive; those that are not there any more are forgotten. */
  async #renew(gateway: Gateway): Promise<void> {
    const allocations = [...gateway.held.keys()].slice(0, this.#below(4));
    const { name } = gateway;
    const renewal = {
      pool: POOL,
      owner: name,
      told: name,
      leaseMs: LEASE_MS,
      allocations,
      ttlMs: TTL_MAX_MS,
    };
    const answer = await this.#ask((store) => store.renew(renewal));
    if (answer.outcome === 'unknown') await this.#restore(gateway);
    else for (const missing of answer.missing) gateway.held.delete(missing);
  }

  /** What it holds may have been given back and the room taken by others, so it starts from nothing. */
  async #restore(gateway: Gateway): Promise<void> {
    gateway.held.clear();
    const gateways = this.#gateways.map(({ name }) => name);
    const restore = {
      pool: POOL,
      owner: gateway.name,
      // Several of its calls are under way at a time, and find it unknown at a time: each of them may make it known.
      told: gateway.name,
      after: gateway.name,
      leaseMs: LEASE_MS,
      allocations: [],
      underWay: [],
      gateways,
    };
    const answer = await this.#ask((store) => store.restore(restore));
    if (answer.outcome === 'late') throw new Error('a restore is late that follows the last one');
    this.#took(answer.givenBack);
  }

  /** How many allocations there are. */
  async #check(): Promise<number> {
    const { allocations, used } = await this.#ask((store) => store.list(POOL));
    this.#checks += 1;
    for (const { backend, max } of CANDIDATES) {
      const here = allocations.filter((held) => held.backend === backend);
      const count = used.get(backend)?.allocations ?? 0;
      if (count !== here.length) throw new Error(`${backend} counts ${count} allocations of ${here.length}`);
      if (max > 0 && count > max) throw new Error(`${backend} has ${count} allocations`);
      for (const dimension of DIMENSIONS) {
        const sum = here.reduce((total, held) => total + held.resources[dimension], 0);
        const counted = used.get(backend)?.resources[dimension] ?? 0;
        if (counted !== sum) throw new Error(`${backend} counts ${counted} ${dimension} of ${sum}`);
        if (sum > CAPACITY[dimension]) throw new Error(`${backend} has ${sum} ${dimension} reserved`);
      }
    }
    return allocations.length;
  }

  #took(given: readonly GivenBack[]): void {
    this.#givenBack += given.length;
    for (const { allocation, at } of given) {
      this.#weigh(allocation, -1);
      this.#saw(at, `${allocation} given back`);
    }
  }

  #saw({ step }: StoreStep, what: string): void {
    const before = this.#steps.get(step) ?? what;
    if (before !== what) throw new Error(`step ${step} is of ${before} and of ${what}`);
    this.#steps.set(step, what);
    this.#lastStep = Math.max(this.#lastStep, step);
  }

  #weigh(allocation: string, change: number): void {
    this.#balance.set(allocation, (this.#balance.get(allocation) ?? 0) + change);
  }

  #ask<T>(call: (store: Reservations) => Promise<T>): Promise<T> {
    const store = this.#anyOf(this.#options.reservations)!;
    return insist(
      () => call(store),
      () => {
        this.#unanswered += 1;
      },
    );
  }

  #newGateway(): Gateway {
    return { name: `gw-${this.#named++}`, held: new Map() };
  }

  #anyOf<T>(values: readonly T[]): T | undefined {
    return values[this.#below(values.length)];
  }

  #below(limit: number): number {
    return Math.floor(this.#random.next() * limit);
  }
}
