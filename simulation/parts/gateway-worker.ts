import { FastRandom, NO_FEATURES } from '@usher/domain';
import type { RunningWorker } from '../../services/gateway/src/control/worker-thread.ts';
import type {
  AttemptOutcome,
  BackendSlot,
  Hold,
  RouteEntry,
  RoutingTable,
  TableDelta,
} from '../../services/gateway/src/routing-table.ts';
import { StoreAsks } from '../../services/gateway/src/sticky/store-asks.ts';
import { Elsewhere } from '../../services/gateway/src/table/elsewhere.ts';
import { ReservationDesk } from '../../services/gateway/src/table/reservation-desk.ts';
import { WorkerTable } from '../../services/gateway/src/table/worker-table.ts';
import { Attempts } from '../../services/gateway/src/wire/attempts.ts';
import { decideRetry } from '../../services/gateway/src/wire/retry.ts';
import type { FromWorker, ToWorker, WorkerStart } from '../../services/gateway/src/worker/protocol.ts';
import type { Choices } from '../checks/choices.ts';
import type { Findings } from '../checks/findings.ts';
import type { Ledger, UnderWay } from '../checks/ledger.ts';
import type { Tampering } from '../mutations/tampering.ts';
import type { Node } from '../world/network.ts';
import type { ProcessClock } from '../world/scope.ts';
import type { Backends } from './backends.ts';

/** As the worker's own. */
const TICK_MS = 100;
const CLOCK_STEP_MIN_MS = 1_000;

/** Where a worker lives. */
export interface WorkerSite {
  readonly node: Node;
  readonly clock: ProcessClock;
  readonly backends: Backends;
  readonly ledger: Ledger;
  readonly findings: Findings;
  readonly tampering: Tampering;
  readonly choices: Choices;
  /** The life of its process. */
  readonly life: string;
}

/**
 * A worker of a gateway without its sockets: its table, its attempts and its reservations are the real ones, what becomes
 * of an attempt is simulated.
 */
export class SimulatedWorker implements RunningWorker {
  readonly ended: Promise<string | undefined>;
  readonly table: WorkerTable;
  readonly #site: WorkerSite;
  readonly #tell: (message: FromWorker) => void;
  readonly #end: (cause: string | undefined) => void;
  readonly #desk: ReservationDesk;
  readonly #asks: StoreAsks;
  /** What requests go by. */
  readonly #routing: RoutingTable;
  readonly #elsewhere = new Elsewhere();
  readonly #underWay = new Set<UnderWay>();
  /** By how much its clock is off: it follows its machine's only when that was set by much. */
  #skewMs: number;
  #alive = true;
  #draining = false;
  #observedPosition = -1;
  #requests = 0;
  #errors = 0;

  constructor(start: WorkerStart, tell: (message: FromWorker) => void, site: WorkerSite) {
    this.#site = site;
    this.#skewMs = site.clock.skewMs;
    this.#tell = tell;
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.ended = promise;
    this.#end = resolve;
    const draws = [...start.seed];
    const now = (): number => this.#now();
    const post = (message: FromWorker): void => this.#post(message);
    this.#desk = new ReservationDesk(post);
    this.#asks = new StoreAsks((id, question) => post({ kind: 'sticky_ask', id, question }), now);
    this.table = new WorkerTable({
      policy: start.policy,
      random: new FastRandom({ next: () => draws.pop() ?? 0 }),
      now,
      desk: this.#desk,
      asks: this.#asks,
      onMoved: () => {},
      worker: start.worker,
      onBreaker: (news) => post({ kind: 'breaker', news }),
      onPoolNews: (news) => post({ kind: 'pool', news }),
      onKeysWanted: (place) => post({ kind: 'keys_wanted', place }),
      log: { error() {} },
    });
    this.#routing = site.tampering.table?.(this.table) ?? this.table;
    this.#learn(start.deltas, start.position);
    post({ kind: 'listening' });
    site.clock.every(TICK_MS, () => this.#tick());
    site.node.scope.onDeath(() => this.#die());
  }

  get serving(): boolean {
    return this.#alive && !this.#draining;
  }

  post(message: ToWorker): void {
    this.#site.node.scope.after(0, () => {
      if (this.#alive) this.#handle(message);
    });
  }

  async kill(): Promise<void> {
    this.crash(undefined);
  }

  /** It ends as it is. */
  crash(cause: string | undefined): void {
    if (!this.#alive) return;
    this.#die();
    this.#site.node.scope.after(0, () => this.#end(cause));
  }

  /** A client asks for something. */
  request(path: string, tier: number, key: number): void {
    const route = this.table.match('any', path);
    if (route === undefined) {
      this.#answer(undefined, 404);
      return;
    }
    const attempts = new Attempts(this.#routing, route.pool, { ...NO_FEATURES, key, tier }, { path });
    if (attempts.first(this.#now()) === undefined) this.#wait(route, attempts, tier);
    else this.#attempt(route, attempts, tier, undefined);
  }

  #now(): number {
    return this.#site.node.scope.world.nowMs + this.#skewMs;
  }

  #die(): void {
    this.#alive = false;
    this.#site.ledger.drop(this.#underWay);
    this.#underWay.clear();
  }

  #post(message: FromWorker): void {
    this.#site.node.scope.after(0, () => {
      if (this.#alive) this.#tell(message);
    });
  }

  #handle(message: ToWorker): void {
    switch (message.kind) {
      case 'deltas':
        this.#learn(message.deltas, message.position);
        break;
      case 'prepare':
        this.#post({ kind: 'prepared', ports: [] });
        break;
      case 'elsewhere':
        this.#elsewhere.hear(this.table.pools, message.inFlight);
        break;
      case 'reserved':
        this.#desk.onReserved(message.id, message.pool, message.result);
        break;
      case 'sticky_answer':
        this.#asks.answered(message.id, message.answer);
        break;
      case 'ping':
        this.#post({ kind: 'pong' });
        break;
      case 'drain':
        this.#drain(message.deadlineMs);
        break;
      case 'commit':
      case 'abort':
      case 'tls':
      case 'measure':
      case 'ask':
      case 'geoip':
      case 'leave':
      case 'rate_answers':
        // About sockets, what people ask and limits that routes here have not.
        break;
    }
  }

  #learn(deltas: readonly TableDelta[], position: number): void {
    const { delta: changed } = this.#site.tampering;
    const told = changed === undefined ? deltas : deltas.flatMap((delta) => changed(delta) ?? []);
    this.table.apply(told, position, this.#now());
  }

  #wait(route: RouteEntry, attempts: Attempts, tier: number): void {
    let over = false;
    const wait = attempts.wait({
      onRoom: (slot: BackendSlot, reserved?: Hold) => {
        over = true;
        attempts.admitted(slot, this.#now(), reserved);
        this.#attempt(route, attempts, tier, reserved);
      },
      onNoRoom: () => {
        over = true;
        this.#answer(route, 503);
      },
    });
    const leftMs = wait.dueMs - this.#now();
    this.#site.node.scope.after(Math.max(0, leftMs), () => {
      if (this.#alive && !over) wait.expire();
    });
    wait.begin();
  }

  #attempt(route: RouteEntry, attempts: Attempts, tier: number, reserved: Hold | undefined): void {
    const { backends, ledger, life, node } = this.#site;
    const slot = attempts.slot!;
    if (reserved === undefined) this.#site.choices.checkChoice(life, this.table.position, route.pool, slot);
    const needed = route.pool.settings.tiers?.[tier]?.resources.milliCpu ?? 0;
    const one = ledger.begin(slot.id, node.name, life, reserved === undefined ? 0 : needed);
    this.#underWay.add(one);
    backends.attempt(node, slot.id, (outcome) => {
      if (!this.#alive) return;
      this.#underWay.delete(one);
      ledger.end(one);
      this.#onOutcome(route, attempts, tier, outcome);
      this.#checkCount(slot);
    });
  }

  #onOutcome(route: RouteEntry, attempts: Attempts, tier: number, outcome: AttemptOutcome): void {
    const nowMs = this.#now();
    if (outcome === 'ok' || outcome === 'server_error') {
      attempts.answered(outcome === 'ok' ? 200 : 503, () => nowMs);
      attempts.finish(outcome, nowMs);
      this.#answer(route, outcome === 'ok' ? 200 : 503);
      return;
    }
    const verdict = decideRetry({
      outcome,
      reached: outcome === 'backend_closed',
      stale: false,
      replayable: true,
      idempotent: true,
      attemptsLeft: attempts.left,
    });
    attempts.fail(outcome, nowMs);
    if (verdict === 'other' && attempts.another(nowMs) !== undefined)
      this.#attempt(route, attempts, tier, undefined);
    else if (verdict === 'other' && attempts.waitsForAnother(nowMs)) this.#wait(route, attempts, tier);
    else this.#answer(route, 502);
  }

  #answer(route: RouteEntry | undefined, status: number): void {
    this.#requests += 1;
    if (status >= 500) this.#errors += 1;
    if (route !== undefined) route.answers[Math.floor(status / 100)]! += 1;
    if (status === 200) this.#site.ledger.answered += 1;
    else this.#site.ledger.refused += 1;
  }

  #checkCount({ id, own, inFlight }: BackendSlot): void {
    if (own >= 0 && inFlight >= 0) return;
    const detail = `${this.#site.life} has ${own} of its own and ${inFlight} in all on ${id}`;
    this.#site.findings.report('nothing is under way less than zero times', detail);
  }

  #tick(): void {
    if (!this.#alive) return;
    const { skewMs } = this.#site.clock;
    if (Math.abs(skewMs - this.#skewMs) > CLOCK_STEP_MIN_MS) this.#skewMs = skewMs;
    this.table.tick(this.#now());
    for (const pool of this.table.pools)
      this.#site.choices.checkPool(this.#site.life, this.table.position, pool);
    this.#asks.sweep();
    this.#observe();
  }

  #observe(): void {
    const { position } = this.table;
    const backends = this.table.observe();
    if (backends.length === 0 && position === this.#observedPosition && this.#requests === 0) return;
    const observation = { position, requests: this.#requests, errors: this.#errors, backends };
    this.#observedPosition = position;
    this.#requests = 0;
    this.#errors = 0;
    this.#post({ kind: 'observed', observation });
  }

  #drain(deadlineMs: number): void {
    this.#draining = true;
    const endMs = this.#now() + deadlineMs;
    const look = this.#site.clock.every(TICK_MS, () => {
      if (this.#alive && this.#underWay.size > 0 && this.#now() < endMs) return;
      look.cancel();
      this.#observe();
      this.#post({ kind: 'drained' });
    });
  }
}
