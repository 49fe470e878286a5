import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import {
  type LimitSettings,
  type PoolSettings,
  type ProxyProtocol,
  type SpherePoint,
  type TimeoutSettings,
} from '@usher/domain';
import { RecordingLog } from '@usher/testing';
import type { Admission } from '../../admission/admission.ts';
import { type Accept, ProxyListener } from '../../proxy-protocol/proxy-listener.ts';
import type { ProxySenders } from '../../proxy-protocol/senders.ts';
import type { AttemptOutcome, BackendSlot, PoolTable, TableDelta } from '../../routing-table.ts';
import { newLineCells } from '../../table/waiting-line.ts';
import { WorkerTable } from '../../table/worker-table.ts';
import { admissionTo } from '../../testing/admission.ts';
import { limitOf, policy, pool, route, row } from '../../testing/fixtures.ts';
import { tableOptions } from '../../testing/table-options.ts';
import { tlsFront } from '../../testing/tls-front.ts';
import { Arrivals } from '../../worker/arrivals.ts';
import { WireCounters } from '../counters.ts';
import { Dialler } from '../dialler.ts';
import { createWireLane, type WireLane } from '../lane.ts';
import { type BackendBehaviour, RawBackend } from './raw-backend.ts';
import { RawSocket, until } from './raw-socket.ts';

/** A table that remembers how attempts ended. */
export class RecordingTable extends WorkerTable {
  begun = 0;
  readonly outcomes: AttemptOutcome[] = [];

  override begin(slot: BackendSlot): boolean {
    const begun = super.begin(slot);
    if (begun) this.begun += 1;
    return begun;
  }

  override finish(
    pool: PoolTable,
    slot: BackendSlot,
    outcome: AttemptOutcome,
    durationMs: number,
    nowMs: number,
  ): void {
    this.outcomes.push(outcome);
    super.finish(pool, slot, outcome, durationMs, nowMs);
  }
}

export interface HarnessOptions {
  readonly timeouts?: Partial<TimeoutSettings>;
  readonly limits?: Partial<LimitSettings>;
  readonly trustedProxies?: readonly string[];
  readonly retry?: PoolSettings['retry'];
  /** Addresses of backends that are no `RawBackend`, tried before those. */
  readonly urls?: readonly string[];
  readonly workers?: number;
  readonly queue?: PoolSettings['queue'];
  /** Of each backend; they share one line. */
  readonly maxConnections?: number;
  /** Accepted sockets look like what cannot be given a read buffer of ours. */
  readonly asStreams?: boolean;
  readonly senders?: ProxySenders;
  readonly proxyProtocol?: ProxyProtocol;
  /** Backends are spoken to in HTTP/2. */
  readonly toHttp2?: boolean;
  /** Whether the listener speaks HTTP/2. */
  readonly http2?: boolean;
  /** Where addresses are. */
  readonly places?: Readonly<Record<string, SpherePoint>>;
  /** Anything else of the pool's settings. */
  readonly pool?: Partial<PoolSettings>;
  /** Clients and lane speak TLS with each other. */
  readonly tls?: boolean;
}

/** A wire lane behind a real listener, with real backends; time moves only when the test says so, plus real time. */
export class Harness {
  readonly table: RecordingTable;
  readonly admission: Admission;
  readonly counters = new WireCounters();
  readonly lane: WireLane;
  readonly backends: readonly RawBackend[];
  readonly handedOver: { readonly socket: Duplex; readonly head: Buffer; readonly client: string }[] = [];
  /** What was logged. */
  readonly log = new RecordingLog();
  /** Hosts of which the lane said that a connection failed. */
  readonly unreachable: string[] = [];
  /** Added to real time. */
  private aheadMs = 0;
  private ids = 0;
  private readonly server: Server;
  private readonly arrivals: Arrivals;
  private readonly overTls: boolean;
  private readonly clients: RawSocket[] = [];

  private constructor(backends: readonly RawBackend[], options: HarnessOptions) {
    this.backends = backends;
    this.table = tableFor(backends, options);
    this.admission = admissionTo(this.table);
    const { log } = this;
    const now = () => performance.timeOrigin + performance.now() + this.aheadMs;
    this.lane = createWireLane({
      table: this.table,
      now,
      dialler: new Dialler({ log, now, onUnreachable: (host) => this.unreachable.push(host) }),
      newRequestId: () => `id-${++this.ids}`,
      locate: (address) => options.places?.[address],
      handOver: (socket, head, { address }) => this.handedOver.push({ socket, head, client: address }),
      counters: this.counters,
      admission: this.admission,
      log,
      workers: options.workers ?? 1,
    });
    this.arrivals = new Arrivals({
      now,
      limitMs: () => this.table.policy.timeouts.requestHeaderMs,
      max: () => this.table.policy.limits.connections,
    });
    this.overTls = options.tls === true;
    this.server = createServer({ allowHalfOpen: true }, this.acceptor(options));
  }

  private acceptor({ senders, asStreams, http2 = true }: HarnessOptions): (socket: Socket) => void {
    const { arrivals, counters } = this;
    const toLane: Accept = (socket, claim, first) => {
      if (asStreams === true) Object.defineProperty(socket, 'encrypted', { value: false });
      this.lane.accept(socket, http2, claim, first);
    };
    const tls = this.overTls ? tlsFront(toLane, arrivals) : undefined;
    const next: Accept =
      tls === undefined ? toLane : (socket, claim, first) => tls.accept(socket, claim, first);
    if (senders === undefined) return (socket) => next(socket);
    const proxied = new ProxyListener(senders, { next, arrivals, counters });
    return (socket) => proxied.accept(socket);
  }

  static async start(
    behaviours: readonly BackendBehaviour[],
    options: HarnessOptions = {},
  ): Promise<Harness> {
    const backends: RawBackend[] = [];
    for (const behaviour of behaviours) backends.push(await RawBackend.start(behaviour));
    const harness = new Harness(backends, options);
    await new Promise<void>((resolve) => {
      harness.server.listen(0, '127.0.0.1', resolve);
    });
    return harness;
  }

  get port(): number {
    const address = this.server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Connections that the lane has not been given yet. */
  get arriving(): number {
    return this.arrivals.size;
  }

  get pool(): PoolTable {
    return this.table.match('any', '/')!.pool;
  }

  get inFlight(): number {
    return this.pool.slots.reduce((sum, slot) => sum + slot.inFlight, 0);
  }

  /** Applies changes to the table. */
  apply(...deltas: TableDelta[]): void {
    this.table.apply(deltas, this.table.position + 1, Date.now());
  }

  connect(options: { allowHalfOpen?: boolean } = {}): RawSocket {
    const target = { port: this.port, host: '127.0.0.1', noDelay: true, ...options };
    const client = this.overTls
      ? new RawSocket(connectTls({ ...target, rejectUnauthorized: false }))
      : RawSocket.to(this.port, options);
    this.clients.push(client);
    return client;
  }

  /** Lets `ms` pass in an instant for everything that has a deadline. */
  advance(ms: number): void {
    this.aheadMs += ms;
    this.arrivals.sweep();
  }

  /** Sets the clock, back or forward, as a worker does that finds it set. */
  setClock(byMs: number): void {
    this.aheadMs += byMs;
    this.lane.clockSet(byMs);
  }

  /** Every attempt that began has ended, each once. */
  async settled(): Promise<void> {
    await until(() => this.table.begun === this.table.outcomes.length, 'every attempt ended');
    await until(() => this.inFlight === 0, 'nothing counts as in flight');
  }

  async stop(): Promise<void> {
    for (const { socket } of this.clients) socket.destroy();
    await this.lane.drain(0);
    await Promise.all(this.backends.map((backend) => backend.stop()));
    await new Promise((resolve) => {
      this.server.close(resolve);
    });
    await this.settled();
  }
}

function tableFor(backends: readonly RawBackend[], options: HarnessOptions): RecordingTable {
  const defaults = policy();
  const settings = policy({
    timeouts: { ...defaults.timeouts, ...options.timeouts },
    limits: { ...defaults.limits, ...options.limits },
    trustedProxies: options.trustedProxies ?? [],
    routes: [
      route({
        id: 'plugins',
        host: 'any',
        path: '/plugin/*',
        pool: 'web',
        plugins: [{ name: 'gzip', options: {} }],
      }),
      route({ id: 'plain', host: 'any', path: '/plain', pool: 'web', websocket: false }),
      route({ id: 'all', host: 'any', path: '/*', pool: 'web' }),
    ],
  });
  const table = new RecordingTable(tableOptions(0.5, { policy: settings }));
  const { breaker } = pool();
  const line = newLineCells(1);
  const { maxConnections } = options;
  const limit = () => (maxConnections === undefined ? undefined : limitOf(maxConnections, 1, line));
  const urls = [...(options.urls ?? []), ...backends.map(({ url }) => url)];
  table.apply(
    [
      {
        kind: 'pool',
        settings: pool({
          http2: options.toHttp2 ?? false,
          proxyProtocol: options.proxyProtocol ?? 'none',
          retry: options.retry ?? { attempts: 1, budgetRatio: 0.2 },
          queue: options.queue,
          breaker: { ...breaker, enabled: false },
          ...options.pool,
        }),
      },
      ...urls.map((url, at) => ({ kind: 'backend', row: row(`b${at}`, { url, limit: limit() }) }) as const),
      { kind: 'policy', policy: settings },
    ],
    1,
    Date.now(),
  );
  return table;
}
