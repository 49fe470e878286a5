import {
  type BackendState,
  eligibility,
  type PolicySettings,
  type PoolSettings,
  parseBackendUrl,
  type SharedSettings,
  STRATEGIES,
} from '@usher/domain';
import type { UsherEvent } from '@usher/events';
import type { FleetView, Log, LogRecord } from '@usher/ports';
import type { BackendRow, TableDelta } from '../routing-table.ts';
import { sameEndpoints } from '../table/endpoints.ts';
import { fleetTrials } from './fleet-trials.ts';
import type { SharedCells } from './shared-cells.ts';

export interface ProjectorOptions {
  /** Name of this gateway. */
  readonly gateway: string;
  readonly fleet: FleetView;
  /** What to go by until the log has a configuration. */
  readonly fallback: SharedSettings;
  /** Workers of this gateway. */
  readonly workers: number;
  readonly cells: SharedCells;
  readonly log: Log;
}

/** Whose host names lead only where the targets of their pool allow. */
const GUARDED: ReadonlySet<BackendState['origin']> = new Set(['agent', 'command']);

/** What the whole table should be. */
interface Table {
  readonly policy: PolicySettings;
  readonly pools: ReadonlyMap<string, PoolSettings>;
  readonly rows: ReadonlyMap<string, BackendRow>;
}

/**
 * Turns the fleet's state into what the workers decide from. After each record it looks only at what that record touched
 * and names only what changed by it.
 */
export class Projector {
  readonly #options: ProjectorOptions;
  #policy: PolicySettings;
  readonly #pools = new Map<string, PoolSettings>();
  readonly #rows = new Map<string, BackendRow>();
  #fromLog = false;

  constructor(options: ProjectorOptions) {
    this.#options = options;
    this.#policy = policyOf(options.fallback);
    this.#changesTo(this.#whole());
    this.#fromLog = options.fleet.state.config !== null;
  }

  get policy(): PolicySettings {
    return this.#policy;
  }

  /** Every backend that the workers know. */
  backends(): readonly BackendRow[] {
    return [...this.#rows.values()];
  }

  pools(): readonly PoolSettings[] {
    return [...this.#pools.values()];
  }

  /** Whether the pool of a backend chooses by requests under way. */
  needsLoad(backend: string): boolean {
    const pool = this.#pools.get(this.#rows.get(backend)?.pool ?? '');
    return pool !== undefined && (pool.strategy === 'custom' || STRATEGIES[pool.strategy].needsLoad);
  }

  pool(id: string): PoolSettings | undefined {
    return this.#pools.get(id);
  }

  /** The host names in the URLs of the backends. */
  hosts(): Set<string> {
    const hosts = new Set<string>();
    for (const { url, endpoints = [] } of this.#rows.values()) {
      for (const each of [url, ...endpoints.map((endpoint) => endpoint.url)]) {
        const origin = parseBackendUrl(each);
        if (typeof origin !== 'string' && origin.named) hosts.add(origin.host);
      }
    }
    return hosts;
  }

  /** Everything, for a worker that knows nothing. */
  snapshot(): TableDelta[] {
    return [
      ...[...this.#pools.values()].map((settings) => ({ kind: 'pool', settings }) as const),
      ...[...this.#rows.values()].map((row) => ({ kind: 'backend', row }) as const),
      { kind: 'policy', policy: this.#policy },
    ];
  }

  /** What a record, already folded, changed. */
  changesBy(record: LogRecord): TableDelta[] {
    const { state } = this.#options.fleet;
    if (state.config === null) return [];
    const sweeping = !this.#fromLog || record.events.some(({ type }) => SWEEPING.has(type));
    this.#fromLog = true;
    if (sweeping) return this.#changesTo(this.#whole());
    const deltas: TableDelta[] = [];
    for (const id of touchedBy(record.events)) {
      const backend = state.backends.get(id);
      const row = backend === undefined ? undefined : this.#rowOf(id, backend);
      this.#setRow(id, row, deltas);
    }
    return deltas;
  }

  #changesTo({ policy, pools, rows }: Table): TableDelta[] {
    const deltas: TableDelta[] = [];
    for (const [id, settings] of pools) {
      if (this.#pools.get(id) === settings) continue;
      this.#pools.set(id, settings);
      deltas.push({ kind: 'pool', settings });
    }
    for (const [id, row] of rows) this.#setRow(id, row, deltas);
    if (policy !== this.#policy) {
      this.#policy = policy;
      deltas.push({ kind: 'policy', policy });
    }
    // Removals come last: a backend that moves is in its new place before its old pool goes.
    for (const id of this.#rows.keys()) if (!rows.has(id)) this.#setRow(id, undefined, deltas);
    for (const id of this.#pools.keys()) {
      if (pools.has(id)) continue;
      this.#pools.delete(id);
      deltas.push({ kind: 'pool_removed', pool: id });
    }
    return deltas;
  }

  #setRow(id: string, row: BackendRow | undefined, deltas: TableDelta[]): void {
    const before = this.#rows.get(id);
    if (row === undefined) {
      if (this.#rows.delete(id)) deltas.push({ kind: 'backend_removed', backend: id });
      this.#options.cells.drop(id);
    } else if (before === undefined || !sameRow(before, row)) {
      this.#rows.set(id, row);
      deltas.push({ kind: 'backend', row });
    }
  }

  #whole(): Table {
    const { fleet, fallback } = this.#options;
    const { config, pools, backends } = fleet.state;
    if (config === null) {
      const rows = fallback.backends.map((settings): BackendRow => {
        const { id, pool, url, endpoints, weight, priority, maxConnections } = settings;
        const limit = this.#options.cells.limitOf(
          pool,
          id,
          maxConnections,
          fallback.pools.find((each) => each.id === pool),
        );
        const row = { id, pool, url, endpoints, weight, priority, limit, halfOpen: false, trialLimit: 1 };
        // Nobody has looked at them yet.
        return { ...row, eligible: false, barred: 'unknown', lastResort: true };
      });
      return {
        policy: this.#policy,
        pools: new Map(fallback.pools.map((settings) => [settings.id, settings])),
        rows: new Map(rows.filter((row) => this.#isUsable(row)).map((row) => [row.id, row])),
      };
    }
    const rows = new Map<string, BackendRow>();
    for (const [id, backend] of backends) {
      const row = this.#rowOf(id, backend);
      if (row !== undefined) rows.set(id, row);
    }
    const settings = new Map([...pools].map(([id, pool]) => [id, pool.settings]));
    return { policy: config.policy, pools: settings, rows };
  }

  #rowOf(id: string, backend: BackendState): BackendRow | undefined {
    const { pool, url, endpoints, weight, priority, maxConnections } = backend.settings;
    const { fleet, gateway, workers } = this.#options;
    const why = eligibility(backend);
    // How much room there is, whoever reserves it knows best.
    const barred = why === 'full' ? 'ok' : why;
    const poolSettings = fleet.state.pools.get(pool)?.settings;
    const breaker = poolSettings?.breaker;
    const halfOpen = backend.breaker === 'half_open' && breaker?.enabled === true;
    const trials = breaker?.halfOpenRequests ?? 1;
    const row = {
      id,
      pool,
      url,
      endpoints,
      weight,
      priority,
      guarded: GUARDED.has(backend.origin) ? (true as const) : undefined,
      eligible: barred === 'ok',
      barred,
      lastResort: barred === 'unknown' || barred === 'breaker_open',
      halfOpen,
      trialLimit: Math.max(1, Math.floor(trials / workers)),
      ...(halfOpen ? { fleetTrials: fleetTrials(fleet.state, backend, { gateway, workers, trials }) } : {}),
      limit: this.#options.cells.limitOf(pool, id, maxConnections, poolSettings),
    };
    return this.#isUsable(row) ? row : undefined;
  }

  /** A backend that this version cannot talk to must not stop it from talking to the others. */
  #isUsable({ id, url, endpoints = [] }: BackendRow): boolean {
    for (const each of [url, ...endpoints.map((endpoint) => endpoint.url)]) {
      const origin = parseBackendUrl(each);
      if (typeof origin !== 'string') continue;
      this.#options.log.warn('a backend cannot be used', { backend: id, url: each, cause: origin });
      return false;
    }
    return true;
  }
}

function policyOf({ pools: _pools, backends: _backends, ...policy }: SharedSettings): PolicySettings {
  return policy;
}

/** Events that may change more than the backend that they are about. */
const SWEEPING: ReadonlySet<UsherEvent['type']> = new Set([
  'config.applied',
  'route.added',
  'route.updated',
  'route.removed',
  'limits.updated',
  'pool.added',
  'pool.updated',
  'pool.removed',
  'gateway.started',
  'gateway.stopped',
  'gateway.lost',
]);

function touchedBy(events: readonly UsherEvent[]): Set<string> {
  const touched = new Set<string>();
  for (const { type, data } of events) {
    // What is reserved changes no row.
    if (type.startsWith('allocation.')) continue;
    if ('backend' in data) touched.add(data.backend);
    else if ('settings' in data) touched.add(data.settings.id);
  }
  return touched;
}

function sameRow(a: BackendRow, b: BackendRow): boolean {
  return (
    a.pool === b.pool &&
    sameEndpoints(a, b) &&
    a.weight === b.weight &&
    a.priority === b.priority &&
    a.barred === b.barred &&
    a.lastResort === b.lastResort &&
    a.halfOpen === b.halfOpen &&
    a.trialLimit === b.trialLimit &&
    String(a.fleetTrials) === String(b.fleetTrials) &&
    a.limit?.max === b.limit?.max &&
    a.limit?.adaptive === b.limit?.adaptive &&
    a.limit?.cells === b.limit?.cells
  );
}
