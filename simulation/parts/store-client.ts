import {
  type Clock,
  type Lease,
  type LeaseResult,
  type RateBuckets,
  type Reservations,
  type StateStore,
  type StickyAssignments,
  type StoreStatus,
  StoreUnavailableError,
} from '@usher/ports';
import { ConnectionStatus } from '../../libs/event-log/src/connection-status.ts';
import { type Network, NoAnswerError, type Node } from '../world/network.ts';
import type { StoreServer } from './store-server.ts';

/** As the driver for Redis has them. */
const COMMAND_TIMEOUT_MS = 150;
const CONNECT_TIMEOUT_MS = 500;
const SILENCE_MAX_MS = 1_000;
const RECONNECT_MS = 250;

/** The connection was to an earlier start of the server. */
class BrokenError extends NoAnswerError {}

type Run = <T>(what: string, execute: (store: StateStore) => Promise<T>) => Promise<T>;

/** The shared store as one process has it: it answers soon or counts as away. */
export class StoreClient implements StateStore {
  readonly reservations: Reservations;
  readonly sticky: StickyAssignments;
  readonly rates: RateBuckets;
  readonly #node: Node;
  readonly #clock: Clock;
  readonly #network: Network;
  readonly #server: StoreServer;
  readonly #status: ConnectionStatus;
  /** The start of the server that this is a connection to; 0 = none. */
  #incarnation = 0;
  /** Counts the connections: messages of an old one are not taken any more. */
  #connection = 0;
  #silentSinceMs: number | undefined;
  #closed = false;

  constructor(node: Node, clock: Clock, network: Network, server: StoreServer) {
    this.#node = node;
    this.#clock = clock;
    this.#network = network;
    this.#server = server;
    this.#status = new ConnectionStatus(clock, false);
    const run: Run = (what, execute) => this.#run(what, execute);
    this.reservations = remoteReservations(run);
    this.sticky = remoteSticky(run);
    this.rates = remoteRates(run);
  }

  /** Resolves after the first attempt, successful or not. */
  async start(): Promise<void> {
    await this.#connect();
  }

  acquireLease(name: string, owner: string, ttlMs: number): Promise<LeaseResult> {
    return this.#run(`lease ${name}`, (store) => store.acquireLease(name, owner, ttlMs));
  }

  releaseLease(name: string, owner: string): Promise<boolean> {
    return this.#run(`release lease ${name}`, (store) => store.releaseLease(name, owner));
  }

  listLeases(prefix: string): Promise<readonly Lease[]> {
    return this.#run('list leases', (store) => store.listLeases(prefix));
  }

  get(key: string): Promise<string | undefined> {
    return this.#run('get', (store) => store.get(key));
  }

  set(key: string, value: string, ttlMs: number): Promise<void> {
    return this.#run('set', (store) => store.set(key, value, ttlMs));
  }

  setIfAbsent(key: string, value: string, ttlMs: number): Promise<string> {
    return this.#run('set if absent', (store) => store.setIfAbsent(key, value, ttlMs));
  }

  delete(key: string): Promise<boolean> {
    return this.#run('delete', (store) => store.delete(key));
  }

  status(): StoreStatus {
    return this.#status.current;
  }

  onStatus(listener: (status: StoreStatus) => void): void {
    this.#status.listen(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#lose();
  }

  async #run<T>(what: string, execute: (store: StateStore) => Promise<T>): Promise<T> {
    const connection = this.#connection;
    const incarnation = this.#incarnation;
    if (incarnation === 0) throw new StoreUnavailableError('the store is not connected');
    try {
      const answer = await this.#call(what, COMMAND_TIMEOUT_MS, async (store) => {
        if (this.#server.incarnation !== incarnation) throw new BrokenError(what);
        return await execute(store);
      });
      this.#silentSinceMs = undefined;
      return answer;
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
      this.#silentSinceMs ??= this.#clock.now();
      const silentMs = this.#clock.now() - this.#silentSinceMs;
      const broken = error instanceof BrokenError || silentMs >= SILENCE_MAX_MS;
      if (connection === this.#connection && broken) this.#lose();
      throw new StoreUnavailableError(error.message);
    }
  }

  #call<T>(what: string, timeoutMs: number, execute: (store: StateStore) => Promise<T>): Promise<T> {
    const server = this.#server;
    return this.#network.call({
      from: this.#node,
      to: server,
      what,
      timeoutMs,
      lane: `${this.#node.name} redis ${this.#connection}`,
      execute: () => execute(server.inner),
    });
  }

  async #connect(): Promise<void> {
    if (this.#closed) return;
    this.#connection += 1;
    const server = this.#server;
    try {
      this.#incarnation = await this.#call('connect', CONNECT_TIMEOUT_MS, async () => server.incarnation);
      this.#silentSinceMs = undefined;
      this.#status.set(true);
    } catch {
      this.#clock.after(RECONNECT_MS, () => void this.#connect());
    }
  }

  #lose(): void {
    if (this.#incarnation === 0) return;
    this.#incarnation = 0;
    this.#status.set(false);
    if (!this.#closed) this.#clock.after(RECONNECT_MS, () => void this.#connect());
  }
}

function remoteReservations(run: Run): Reservations {
  return {
    reserve: (request) => run('reserve', (store) => store.reservations.reserve(request)),
    release: (pool, owner, allocations) =>
      run('release', (store) => store.reservations.release(pool, owner, allocations)),
    renew: (request) => run('renew', (store) => store.reservations.renew(request)),
    restore: (request) => run('restore', (store) => store.reservations.restore(request)),
    sweep: (pool, max) => run('sweep', (store) => store.reservations.sweep(pool, max)),
    list: (pool) => run('list', (store) => store.reservations.list(pool)),
  };
}

function remoteSticky(run: Run): StickyAssignments {
  return {
    get: (pool, id) => run('session', (store) => store.sticky.get(pool, id)),
    assign: (assignment) => run('assign', (store) => store.sticky.assign(assignment)),
    move: (assignment, from) => run('move', (store) => store.sticky.move(assignment, from)),
    clear: (pool, id, backend) => run('clear', (store) => store.sticky.clear(pool, id, backend)),
  };
}

function remoteRates(run: Run): RateBuckets {
  return {
    take: (bucket, wanted) => run('take', (store) => store.rates.take(bucket, wanted)),
    give: (bucket, unused) => run('give', (store) => store.rates.give(bucket, unused)),
  };
}
