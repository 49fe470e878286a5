import {
  type BreakerChange,
  breakerClose,
  breakerHalfOpen,
  breakerOpen,
  breakerRecord,
  breakerTick,
  breakerTrialEnded,
  type PolicySettings,
  type PoolSettings,
  STRATEGIES,
  type Uniform,
} from '@usher/domain';
import type {
  AttemptOutcome,
  BackendRow,
  BackendSlot,
  LineCounts,
  PoolTable,
  RouteEntry,
  RoutingTable,
  TableDelta,
} from '../routing-table.ts';
import { Hosts } from './addresses.ts';
import { newSlot, updateSlot } from './backend-slot.ts';
import { type BreakerNews, breakerNews } from './breaker-news.ts';
import { chooseWithRoom, openLine, setLimit } from './limits.ts';
import { type BackendObservation, type ConnectFailureCount, evidenceOf, Observers } from './observation.ts';
import { newPool, rebuildEligible, undeclared } from './pool-table.ts';
import { Routes } from './routes.ts';
import { PoolTls } from './tls-client.ts';

type BreakerDelta = Extract<TableDelta, { kind: 'tripped' | 'recovered' }>;

interface Member {
  readonly row: BackendRow;
  readonly pool: PoolTable;
  readonly slot: BackendSlot;
}

/**
 * The routing table of one worker: changed in place by deltas, so that counters, requests under way and breakers live on
 * through every change of settings.
 */
export class WorkerTable implements RoutingTable {
  #policy: PolicySettings;
  #position = 0;
  readonly #routes = new Routes();
  /** Also of pools that are named and not, or no longer, declared: routes keep pointing at the same object. */
  readonly #pools = new Map<string, PoolTable>();
  readonly #members = new Map<string, Member>();
  readonly #observers = new Observers();
  readonly #hosts = new Hosts();
  #nextIndex = 0;
  readonly #random: Uniform;
  readonly #worker: number;
  readonly #onBreaker: (news: BreakerNews) => void;

  /** `worker`: its place among those of the gateway. */
  constructor(policy: PolicySettings, random: Uniform, onBreaker: (news: BreakerNews) => void, worker = 0) {
    this.#policy = policy;
    this.#random = random;
    this.#onBreaker = onBreaker;
    this.#worker = worker;
  }

  get policy(): PolicySettings {
    return this.#policy;
  }

  get position(): number {
    return this.#position;
  }

  match(host: string, path: string): RouteEntry | undefined {
    return this.#routes.match(host, path);
  }

  pick(pool: PoolTable, tried: readonly BackendSlot[]): BackendSlot | undefined {
    if (pool.line === undefined) return STRATEGIES[pool.settings.strategy](pool, tried, this.#random);
    return pool.line.busy ? undefined : chooseWithRoom(pool, tried, this.#random);
  }

  begin(slot: BackendSlot): boolean {
    if (slot.limit !== undefined && !slot.limit.take()) return false;
    slot.inFlight += 1;
    if (slot.breaker.phase !== 'half_open') return true;
    slot.breaker.trialsInFlight += 1;
    if (slot.breaker.trialsInFlight === slot.trialLimit) this.#rebuildAround(slot);
    return true;
  }

  finish(
    pool: PoolTable,
    slot: BackendSlot,
    outcome: AttemptOutcome,
    durationMs: number,
    nowMs: number,
  ): void {
    const evidence = evidenceOf(outcome);
    slot.inFlight -= 1;
    slot.limit?.give();
    slot.requests += 1;
    slot.latencySumMs += durationMs;
    if (evidence !== 'good') slot.failures += 1;
    pool.retryBudget.noteRequest(nowMs);
    const { breaker } = slot;
    const trial = breaker.phase === 'half_open' && nowMs - durationMs >= breaker.halfOpenSinceMs;
    let change: BreakerChange = 'none';
    if (pool.settings.breaker.enabled && outcome !== 'client_closed') {
      change = breakerRecord(breaker, pool.settings.breaker, evidence, nowMs - durationMs, nowMs);
    }
    if (trial) breakerTrialEnded(breaker);
    if (trial || change !== 'none') this.#rebuildAround(slot);
    if (change !== 'none') this.#tell(slot, change);
    pool.line?.serve();
  }

  slotAt(index: number): BackendSlot | undefined {
    return this.#observers.find(index);
  }

  hold(slot: BackendSlot): void {
    slot.inFlight += 1;
    slot.limit?.adjust(1);
  }

  release(slot: BackendSlot): void {
    slot.inFlight -= 1;
    slot.limit?.give();
    this.#serveLines();
  }

  takeRetry(pool: PoolTable, nowMs: number): boolean {
    return pool.retryBudget.take(pool.settings.retry.budgetRatio, nowMs);
  }

  /** Every route in force; those of the plugin lane need their plugins set up. */
  get routes(): readonly RouteEntry[] {
    return this.#routes.entries;
  }

  /** Ids of the backends that their pools' strategies may choose now. */
  choosable(): string[] {
    return [...this.#pools.values()].flatMap(({ eligible }) => eligible.map(({ id }) => id));
  }

  /** Applies changes in order; afterwards the table stands for `position`. */
  apply(deltas: readonly TableDelta[], position: number, nowMs: number): void {
    const touched = new Set<PoolTable>();
    for (const delta of deltas) this.#applyOne(delta, nowMs, touched);
    for (const pool of touched) rebuildEligible(pool);
    this.#position = position;
    this.#serveLines();
  }

  /** Lets breakers whose time has come try again. To be called a few times a second. */
  tick(nowMs: number): void {
    for (const { pool, slot } of this.#members.values()) {
      const { breaker } = slot;
      if (breaker.phase === 'closed') continue;
      if (breakerTick(breaker, pool.settings.breaker, nowMs)) rebuildEligible(pool);
    }
    this.#serveLines();
  }

  /** What happened since the last call, for those backends to which anything did. */
  observe(): BackendObservation[] {
    return this.#observers.take();
  }

  connectFailures(): ConnectFailureCount[] {
    return this.#observers.connectFailures();
  }

  /** How many wait for the pools whose backends have limits, and how it went for those who did. */
  lines(): { readonly pool: string; readonly counts: LineCounts }[] {
    return [...this.#pools.values()].flatMap(({ id, line }) =>
      line === undefined ? [] : [{ pool: id, counts: line.counts }],
    );
  }

  #serveLines(): void {
    for (const { line } of this.#pools.values()) line?.serve();
  }

  #applyOne(delta: TableDelta, nowMs: number, touched: Set<PoolTable>): void {
    switch (delta.kind) {
      case 'policy':
        this.#setPolicy(delta.policy);
        break;
      case 'pool':
        this.#setPool(delta.settings, touched);
        break;
      case 'pool_removed':
        for (const { row } of this.#members.values()) {
          if (row.pool === delta.pool) this.#removeBackend(row.id, touched);
        }
        this.#poolOf(delta.pool).settings = undeclared(delta.pool);
        break;
      case 'backend':
        this.#setBackend(delta.row, nowMs, touched);
        break;
      case 'backend_removed':
        this.#removeBackend(delta.backend, touched);
        break;
      case 'tls':
        this.#poolOf(delta.pool).tls = new PoolTls(delta.tls);
        break;
      case 'addresses':
        this.#setAddresses(delta.host, delta.addresses, touched);
        break;
      case 'tripped':
      case 'recovered':
        this.#hearOfBreaker(delta, nowMs, touched);
        break;
    }
  }

  #setPolicy(policy: PolicySettings): void {
    this.#policy = policy;
    this.#routes.set(policy.routes, (id) => this.#poolOf(id));
  }

  #poolOf(id: string): PoolTable {
    let pool = this.#pools.get(id);
    if (pool === undefined) this.#pools.set(id, (pool = newPool(undeclared(id))));
    return pool;
  }

  #setPool(settings: PoolSettings, touched: Set<PoolTable>): void {
    const pool = this.#poolOf(settings.id);
    if (!settings.breaker.enabled) for (const slot of pool.slots) breakerClose(slot.breaker);
    pool.settings = settings;
    touched.add(pool);
  }

  #setBackend(row: BackendRow, nowMs: number, touched: Set<PoolTable>): void {
    let member = this.#members.get(row.id);
    if (member !== undefined && (member.row.pool !== row.pool || member.row.url !== row.url)) {
      this.#removeBackend(row.id, touched);
      member = undefined;
    }
    if (member === undefined) {
      const pool = this.#poolOf(row.pool);
      const slot = newSlot(row, this.#nextIndex++, pool, this.#hosts);
      this.#observers.add(slot);
      this.#setLimit(pool, slot, row);
      if (row.halfOpen) breakerHalfOpen(slot.breaker, nowMs);
      pool.slots.push(slot);
      this.#members.set(row.id, { row, pool, slot });
      touched.add(pool);
      return;
    }
    const { slot } = member;
    updateSlot(slot, row, nowMs);
    this.#setLimit(member.pool, slot, row);
    this.#members.set(row.id, { ...member, row });
    touched.add(member.pool);
  }

  #setLimit(pool: PoolTable, slot: BackendSlot, { limit }: BackendRow): void {
    setLimit(slot, limit, this.#worker);
    if (limit !== undefined) openLine(pool, limit, this.#worker, this.#random, (each) => this.begin(each));
  }

  #setAddresses(host: string, ips: readonly string[], touched: Set<PoolTable>): void {
    const addresses = this.#hosts.set(host, ips);
    for (const { pool, slot } of this.#members.values()) if (slot.addresses === addresses) touched.add(pool);
  }

  #removeBackend(id: string, touched: Set<PoolTable>): void {
    const member = this.#members.get(id);
    if (member === undefined) return;
    this.#members.delete(id);
    this.#observers.leave(member.slot);
    member.pool.slots.splice(member.pool.slots.indexOf(member.slot), 1);
    touched.add(member.pool);
  }

  #hearOfBreaker(delta: BreakerDelta, nowMs: number, touched: Set<PoolTable>): void {
    const member = this.#members.get(delta.backend);
    if (member === undefined) return;
    const { breaker } = member.slot;
    if (delta.kind === 'recovered') breakerClose(breaker);
    else if (delta.untilMs > nowMs) breakerOpen(breaker, delta.untilMs);
    touched.add(member.pool);
  }

  #rebuildAround(slot: BackendSlot): void {
    const member = this.#members.get(slot.id);
    if (member?.slot === slot) rebuildEligible(member.pool);
  }

  #tell(slot: BackendSlot, change: Exclude<BreakerChange, 'none'>): void {
    if (this.#members.get(slot.id)?.slot !== slot) return;
    this.#onBreaker(breakerNews(slot, change));
  }
}
