import {
  type Answer,
  breakerClose,
  type Features,
  type PolicySettings,
  type PoolSettings,
  type ResourceFacts,
} from '@usher/domain';
import type { MirrorCounts } from '../mirror/route-mirror.ts';
import type {
  AttemptOutcome,
  BackendRow,
  BackendSlot,
  Hold,
  PoolTable,
  RouteEntry,
  RoutingTable,
  TableDelta,
} from '../routing-table.ts';
import { TokenKeys } from '../traffic/token-keys.ts';
import type { Guest, LineCounts, Wait } from '../waiting.ts';
import { hearOfBreaker } from './breaker-news.ts';
import { Choosers } from './choosers.ts';
import { hearOfEjection } from './ejections.ts';
import { Judge } from './judge.ts';
import { openLine, setLimit } from './limits.ts';
import { Members } from './members.ts';
import type { BackendObservation, ConnectFailureCount } from './observation.ts';
import { Placing } from './placing.ts';
import { newPool, rebuildEligible, settle, tickPool, undeclared } from './pool-table.ts';
import { Routes } from './routes.ts';
import { load } from './slot-load.ts';
import { Stickiness } from './stickiness.ts';
import { PoolTls } from './tls-client.ts';
import type { WorkerTableOptions } from './worker-table-options.ts';

/**
 * The routing table of one worker: changed in place by deltas, so that counters, requests under way and breakers live on
 * through every change of settings.
 */
export class WorkerTable implements RoutingTable {
  #policy: PolicySettings;
  #position = 0;
  readonly #routes: Routes;
  /** Also of pools that are named and not, or no longer, declared: routes keep pointing at the same object. */
  readonly #pools = new Map<string, PoolTable>();
  readonly #members: Members;
  readonly #choosers: Choosers;
  readonly #tokenKeys: TokenKeys;
  readonly stickiness: Stickiness;
  /** When the table was last changed or looked at. */
  #nowMs = 0;
  readonly placing: Placing;
  readonly #worker: number;
  readonly #judge: Judge;

  constructor({ policy, worker, log, ...tools }: WorkerTableOptions) {
    this.#policy = policy;
    this.#members = new Members(tools.random, worker);
    this.placing = new Placing({ ...tools, begin: (slot) => this.begin(slot) });
    this.#choosers = new Choosers(log);
    // Seconds are all that matters to sessions.
    this.stickiness = new Stickiness({ ...tools, now: () => this.#nowMs });
    this.#judge = new Judge(this.#members, tools);
    this.#worker = worker;
    this.#tokenKeys = new TokenKeys(tools.onKeysWanted);
    this.#routes = new Routes(tools.random, this.#tokenKeys);
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

  pick(pool: PoolTable, tried: readonly BackendSlot[], features: Features): BackendSlot | undefined {
    return this.placing.pick(pool, tried, features);
  }

  wait(pool: PoolTable, tried: readonly BackendSlot[], features: Features, guest: Guest): Wait {
    return this.placing.wait(pool, tried, features, guest);
  }

  begin(slot: BackendSlot): boolean {
    if (slot.limit !== undefined && !slot.limit.take()) return false;
    load(slot, 1);
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
    load(slot, -1);
    slot.limit?.give();
    pool.retryBudget.noteAttempt(nowMs);
    if (this.#judge.ended(pool, slot, outcome, durationMs, nowMs)) this.#rebuildAround(slot);
    pool.line?.serve();
  }

  hear(slot: BackendSlot, answer: Answer, afterMs: number, nowMs: number): void {
    slot.pool.chooser.heard?.(slot, answer, afterMs, nowMs);
    if (answer === 'answered') slot.limit?.heard(afterMs);
  }

  slotAt(index: number): BackendSlot | undefined {
    return this.#members.observers.find(index);
  }

  hold(slot: BackendSlot, reserved: Hold | undefined): Hold {
    load(slot, 1);
    slot.limit?.adjust(1);
    const release = (): void => {
      load(slot, -1);
      slot.limit?.give();
      reserved?.release();
      this.#serveLines();
    };
    return { release };
  }

  takeRetry(pool: PoolTable, nowMs: number): boolean {
    return pool.retryBudget.take(pool.settings.retry.budgetRatio, nowMs);
  }

  /** Every route in force; those of the plugin lane need their plugins set up. */
  get routes(): readonly RouteEntry[] {
    return this.#routes.entries;
  }

  /** With one for each pool of a route. */
  get countedRoutes(): readonly RouteEntry[] {
    return this.#routes.counted;
  }

  /** What became of copies of requests, for the routes that have such. */
  mirrors(): MirrorCounts[] {
    return this.#routes.mirrors();
  }

  /** Also those that are not declared. */
  get pools(): Iterable<PoolTable> {
    return this.#pools.values();
  }

  /** Ids of the backends that their pools' strategies may choose now. */
  choosable(): string[] {
    return [...this.#pools.values()].flatMap(({ eligible }) => eligible.map(({ id }) => id));
  }

  /** Applies changes in order; afterwards the table stands for `position`. */
  apply(deltas: readonly TableDelta[], position: number, nowMs: number): void {
    const touched = new Set<PoolTable>();
    this.#nowMs = nowMs;
    for (const delta of deltas) this.#applyOne(delta, nowMs, touched);
    for (const pool of touched) rebuildEligible(pool, nowMs);
    this.#position = position;
    this.#serveLines();
  }

  /** Resolves when the strategies of the users' own that pools name are loaded, or cannot be. */
  strategiesLoaded(): Promise<void> {
    return this.#choosers.loaded();
  }

  /** Lets breakers and ejections end whose time has come, and goes on with slow starts. To be called a few times a second. */
  tick(nowMs: number): void {
    this.#nowMs = nowMs;
    for (const pool of this.#pools.values()) tickPool(pool, nowMs);
    for (const pool of this.#judge.tick(nowMs)) rebuildEligible(pool, nowMs);
    this.#judge.tellPanics(this.#pools.values());
    this.#serveLines();
  }

  /** What happened since the last call, for those backends to which anything did. */
  observe(): BackendObservation[] {
    return this.#members.observers.take();
  }

  connectFailures(): ConnectFailureCount[] {
    return this.#members.observers.connectFailures();
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
        this.#setPool(delta.settings, true, touched);
        break;
      case 'pool_removed':
        this.#members.removeAllOf(delta.pool, touched);
        this.#setPool(undeclared(delta.pool), false, touched);
        break;
      case 'backend':
        this.#setBackend(delta.row, nowMs, touched);
        break;
      case 'backend_removed':
        this.#members.remove(delta.backend, touched);
        break;
      case 'tls':
        this.#poolOf(delta.pool).tls = new PoolTls(delta.tls);
        break;
      case 'addresses':
        this.#members.setAddresses(delta.host, delta.addresses, touched);
        break;
      case 'facts':
        this.#learn(delta.backend, delta.facts);
        break;
      case 'token_keys':
        this.#tokenKeys.take(delta);
        break;
      case 'sticky_secrets':
      case 'sticky_moved':
      case 'sticky_cleared':
        this.stickiness.take(delta);
        break;
      case 'tripped':
      case 'recovered':
        this.#touch(delta.backend, touched, (slot) => hearOfBreaker(slot, delta, nowMs));
        break;
      case 'ejected':
      case 'readmitted':
        this.#touch(delta.backend, touched, (slot) => hearOfEjection(slot, delta, nowMs));
        break;
    }
  }

  #setPolicy(policy: PolicySettings): void {
    this.#policy = policy;
    this.#routes.set(policy, (id) => this.#poolOf(id));
  }

  #poolOf(id: string): PoolTable {
    let pool = this.#pools.get(id);
    if (pool === undefined) this.#pools.set(id, (pool = newPool(undeclared(id))));
    return pool;
  }

  #setPool(settings: PoolSettings, declared: boolean, touched: Set<PoolTable>): void {
    const pool = this.#poolOf(settings.id);
    if (!settings.breaker.enabled) for (const slot of pool.slots) breakerClose(slot.breaker);
    settle(pool, settings, declared);
    this.#members.recheck(pool);
    this.#choosers.equip(pool);
    this.stickiness.equip(pool);
    touched.add(pool);
  }

  #setBackend(row: BackendRow, nowMs: number, touched: Set<PoolTable>): void {
    const pool = this.#poolOf(row.pool);
    const slot = this.#members.set(row, pool, nowMs, touched);
    setLimit(slot, row.limit, this.#worker);
    if (row.limit === undefined) return;
    openLine(pool, row.limit, this.#worker, (features) => this.placing.admit(pool, features));
  }

  #learn(id: string, facts: ResourceFacts): void {
    const slot = this.#members.get(id)?.slot;
    if (slot === undefined) return;
    slot.facts = facts;
    slot.pool.chooser.learned?.(slot);
  }

  #touch(id: string, touched: Set<PoolTable>, change: (slot: BackendSlot) => void): void {
    const member = this.#members.get(id);
    if (member === undefined) return;
    change(member.slot);
    touched.add(member.pool);
  }

  #rebuildAround(slot: BackendSlot): void {
    const member = this.#members.get(slot.id);
    if (member?.slot === slot) rebuildEligible(member.pool, this.#nowMs);
  }
}
