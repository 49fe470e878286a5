import { REPORT_WINDOW_MS, ReservedHistory, type Resources } from '@usher/domain';
import type { UsherEvent } from '@usher/events';
import type { Clock, FleetView, LogRecord } from '@usher/ports';
import type { TableDelta } from '../routing-table.ts';

/** Events after which other facts hold for the backend that they are about. */
const TELLING: ReadonlySet<UsherEvent['type']> = new Set([
  'allocation.reserved',
  'allocation.released',
  'allocation.expired',
  'backend.registered',
  'backend.updated',
  'backend.latency_measured',
  'backend.stats_reported',
  'backend.went_stale',
  'backend.came_back',
]);

/**
 * Turns what agents and reservations tell of backends into what workers choose by, for the pools that choose by it. Many
 * changes of one backend become one delta at the next `take`.
 */
export class ResourceFactsFeed {
  readonly #fleet: FleetView;
  readonly #clock: Clock;
  readonly #histories = new Map<string, ReservedHistory>();
  /** The fold forgets an allocation before this hears that it is over. */
  readonly #allocations = new Map<string, { readonly backend: string; readonly resources: Resources }>();
  readonly #changed = new Set<string>();

  constructor(fleet: FleetView, clock: Clock) {
    this.#fleet = fleet;
    this.#clock = clock;
    for (const [backend, { allocations }] of fleet.state.backends) {
      for (const { id, resources } of allocations.values()) this.#add(id, backend, resources, clock.now());
    }
  }

  /** A record was folded. */
  onRecord({ events }: LogRecord): void {
    for (const event of events) {
      if (event.type.startsWith('pool.') || event.type === 'config.applied') this.#changeAll();
      if (!TELLING.has(event.type)) continue;
      this.#reckon(event);
      const { data } = event;
      if ('backend' in data) this.#changed.add(data.backend);
      else if ('settings' in data) this.#changed.add(data.settings.id);
    }
  }

  /** What has changed since the last call. */
  take(): TableDelta[] {
    const deltas = [...this.#changed].flatMap((id) => this.#deltaOf(id));
    this.#changed.clear();
    return deltas;
  }

  /** Everything, for a worker that knows nothing. */
  snapshot(): TableDelta[] {
    return [...this.#fleet.state.backends.keys()].flatMap((id) => this.#deltaOf(id));
  }

  #changeAll(): void {
    for (const id of this.#fleet.state.backends.keys()) this.#changed.add(id);
  }

  #reckon(event: UsherEvent): void {
    const atMs = Date.parse(event.time);
    if (event.type === 'allocation.reserved') {
      const { allocation, backend, resources } = event.data;
      if (!this.#allocations.has(allocation)) this.#add(allocation, backend, resources, atMs);
    } else if (event.type === 'allocation.released' || event.type === 'allocation.expired') {
      const over = this.#allocations.get(event.data.allocation);
      if (over === undefined) return;
      this.#allocations.delete(event.data.allocation);
      this.#historyOf(over.backend).remove(over.resources, atMs);
    }
  }

  #add(allocation: string, backend: string, resources: Resources, atMs: number): void {
    this.#allocations.set(allocation, { backend, resources });
    this.#historyOf(backend).add(resources, atMs);
  }

  #historyOf(backend: string): ReservedHistory {
    let history = this.#histories.get(backend);
    if (history === undefined) {
      history = new ReservedHistory(REPORT_WINDOW_MS, this.#clock.now());
      this.#histories.set(backend, history);
    }
    return history;
  }

  #deltaOf(id: string): TableDelta[] {
    const { backends, pools } = this.#fleet.state;
    const backend = backends.get(id);
    if (backend === undefined) {
      this.#histories.delete(id);
      return [];
    }
    const pool = pools.get(backend.settings.pool)?.settings;
    const reserves = (pool?.reserve ?? 'none') !== 'none';
    if (pool === undefined || (pool.strategy !== 'resource' && !reserves)) return [];
    const { stats, stale, latencyMs } = backend;
    const { place, capacity } = backend.settings;
    const history = this.#historyOf(id);
    const unreported = history.unreported(stats?.atMs ?? 0);
    const facts = { place, capacity, stats, stale, latencyMs, reserved: history.reserved, unreported };
    return [{ kind: 'facts', backend: id, facts }];
  }
}
