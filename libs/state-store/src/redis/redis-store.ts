import {
  type Clock,
  type Lease,
  type LeaseResult,
  type Log,
  type StateStore,
  type StoreStatus,
  StoreUnavailableError,
} from '@usher/ports';
import { Redis, type RedisOptions } from 'ioredis';
import { KEY_PREFIX, valueKey } from './keys.ts';
import { unfitPolicy } from './memory-policy.ts';
import { RATE_SCRIPTS } from './rate-scripts.ts';
import { RedisRates } from './redis-rates.ts';
import { RedisReservations } from './redis-reservations.ts';
import { RedisSticky } from './redis-sticky.ts';
import { RESERVATION_SCRIPTS } from './reservation-scripts.ts';
import { loadScripts, type RunScript, runScript } from './run-script.ts';
import { ACQUIRE_LEASE, LIST_LEASES, RELEASE_LEASE, SET_IF_ABSENT } from './scripts.ts';
import { STICKY_SCRIPTS } from './sticky-scripts.ts';

/** Within this time every call has answered or failed. */
const COMMAND_TIMEOUT_MS = 150;
const CONNECT_TIMEOUT_MS = 500;
/** A connection on which a command has waited this long is given up; idle connections are not touched. */
const SOCKET_TIMEOUT_MS = 1_000;
const RECONNECT_STEP_MS = 50;
const RECONNECT_MAX_MS = 500;

const UNFIT_POLICY =
  'state store: when Redis is full of sessions it may refuse or forget all else; its maxmemory-policy should be volatile-ttl';

const LEASES_KEY = `${KEY_PREFIX}leases`;

/**
 * Fail fast: a command that cannot be sent now is refused now, and one that was sent is never sent again, because
 * whoever asked has long gone on without the answer.
 */
const FAIL_FAST = {
  lazyConnect: true,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  connectTimeout: CONNECT_TIMEOUT_MS,
  socketTimeout: SOCKET_TIMEOUT_MS,
  retryStrategy: (attempt: number) => Math.min(RECONNECT_STEP_MS * attempt, RECONNECT_MAX_MS),
} satisfies RedisOptions;

export interface RedisStoreOptions {
  /** `redis://[user:password@]host:port[/db]`, `rediss://…` for TLS, or the path of a unix socket. */
  readonly url: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Who shares leases with this process: those of the same realm. Default: all on the server. */
  readonly leaseRealm?: string;
}

/**
 * Opens the state store on a Redis server (6 or newer). A user of it needs the commands INFO and SCRIPT LOAD. Resolves after the first attempt to connect, successful or
 * not: without Redis every call throws StoreUnavailableError, and the connection comes back by itself.
 */
export async function openRedisStore(options: RedisStoreOptions): Promise<StateStore> {
  const store = new RedisStore(options);
  await store.connect();
  return store;
}

class RedisStore implements StateStore {
  readonly reservations: RedisReservations;
  readonly sticky: RedisSticky;
  readonly rates: RedisRates;
  readonly #redis: Redis;
  readonly #leasesKey: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #listeners: ((status: StoreStatus) => void)[] = [];
  #status: StoreStatus;
  #cause: Error | undefined;
  #closed = false;
  /** Names the run of the server that the connection is to. */
  #serverRun = '';
  #prepared: Promise<void> | undefined;

  constructor({ url, clock, log, leaseRealm }: RedisStoreOptions) {
    this.#leasesKey = leaseRealm === undefined ? LEASES_KEY : `${LEASES_KEY}:${leaseRealm}`;
    this.#clock = clock;
    this.#log = log;
    this.#status = { connected: false, sinceMs: clock.now() };
    this.#redis = new Redis(url, FAIL_FAST);
    const run: RunScript = (...call) => this.#call(() => this.#runPrepared(call));
    this.reservations = new RedisReservations(run, () => this.#serverRun);
    this.sticky = new RedisSticky(run);
    this.rates = new RedisRates(run);
    this.#redis.on('error', (error: Error) => {
      this.#cause = error;
    });
    this.#redis.on('ready', () => {
      this.#prepared = this.#prepare();
    });
    this.#redis.on('close', () => this.#setConnected(false));
  }

  async connect(): Promise<void> {
    try {
      await this.#redis.connect();
      await this.#prepared;
    } catch (error) {
      this.#log.warn('state store: Redis cannot be reached, trying again', { cause: messageOf(error) });
    }
  }

  async acquireLease(name: string, owner: string, ttlMs: number): Promise<LeaseResult> {
    const holder = await this.#eval(ACQUIRE_LEASE, this.#leasesKey, name, owner, ttlMs);
    return { held: holder === owner, owner: String(holder) };
  }

  async releaseLease(name: string, owner: string): Promise<boolean> {
    return (await this.#eval(RELEASE_LEASE, this.#leasesKey, name, owner)) === 1;
  }

  async listLeases(prefix: string): Promise<readonly Lease[]> {
    const found = (await this.#eval(LIST_LEASES, this.#leasesKey, prefix)) as string[];
    const leases: Lease[] = [];
    for (let i = 0; i + 1 < found.length; i += 2) leases.push({ name: found[i]!, owner: found[i + 1]! });
    return leases;
  }

  async get(key: string): Promise<string | undefined> {
    return (await this.#call(() => this.#redis.get(valueKey(key)))) ?? undefined;
  }

  async set(key: string, value: string, ttlMs: number): Promise<void> {
    await this.#call(() => this.#redis.set(valueKey(key), value, 'PX', ttlMs));
  }

  async setIfAbsent(key: string, value: string, ttlMs: number): Promise<string> {
    return String(await this.#eval(SET_IF_ABSENT, valueKey(key), value, ttlMs));
  }

  async delete(key: string): Promise<boolean> {
    return (await this.#call(() => this.#redis.del(valueKey(key)))) === 1;
  }

  status(): StoreStatus {
    return this.#status;
  }

  onStatus(listener: (status: StoreStatus) => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#redis.disconnect();
  }

  /** EVAL and not EVALSHA: a script that the server has forgotten would cost a second command and a second timeout. */
  #eval(script: string, key: string, ...args: (string | number)[]): Promise<unknown> {
    return this.#call(() => this.#redis.eval(script, 1, key, ...args));
  }

  async #runPrepared(call: Parameters<RunScript>): Promise<unknown> {
    if (!this.#status.connected) throw new Error('not connected');
    return runScript(this.#redis, ...call);
  }

  /** What a new connection needs before it counts as one: whether the server was started anew, and its scripts. */
  async #prepare(): Promise<void> {
    try {
      const [info, memory] = await Promise.all([
        this.#redis.info('server'),
        this.#redis.info('memory'),
        loadScripts(this.#redis, [...RESERVATION_SCRIPTS, ...STICKY_SCRIPTS, ...RATE_SCRIPTS]),
      ]);
      this.#serverRun = /^run_id:(\w+)/m.exec(info)?.[1] ?? '';
      this.#setConnected(true);
      const policy = unfitPolicy(memory);
      if (policy !== undefined) this.#log.warn(UNFIT_POLICY, { policy });
    } catch (error) {
      this.#cause = error instanceof Error ? error : undefined;
      // Unless the connection is lost already, a new one has to be made.
      if (this.#redis.status === 'ready') this.#redis.disconnect(true);
    }
  }

  async #call<T>(command: () => Promise<T>): Promise<T> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = this.#clock.after(COMMAND_TIMEOUT_MS, () => {
      // When this process was busy itself, the answer may be here and only not read yet.
      setImmediate(() => reject(new Error('Command timed out')));
    });
    try {
      return await Promise.race([command(), late]);
    } catch (error) {
      throw new StoreUnavailableError(`Redis: ${messageOf(error)}`, { cause: error });
    } finally {
      timer.cancel();
    }
  }

  #setConnected(connected: boolean): void {
    if (connected === this.#status.connected) return;
    this.#status = { connected, sinceMs: this.#clock.now() };
    if (connected) this.#log.info('state store: connected to Redis');
    else if (!this.#closed) this.#log.warn('state store: lost Redis', { cause: messageOf(this.#cause) });
    this.#cause = undefined;
    for (const listener of this.#listeners) listener(this.#status);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'connection closed';
}
