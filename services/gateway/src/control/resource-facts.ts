import {
  type BackendState,
  DIMENSIONS,
  NO_RESOURCES,
  plusResources,
  REPORT_WINDOW_MS,
  ReservedHistory,
  type ResourceFacts,
} from '@usher/domain';
import type { UsherEvent } from '@usher/events';
import type { Clock, FleetView, LogRecord } from '@usher/ports';
import type { TableDelta } from '../routing-table.ts';

/** How often workers hear of changed resources: often enough for reports of each second. */
export const FACTS_MS = 50;

/** Events after which other facts hold for the backend that they are about. */
const TELLING: ReadonlySet<UsherEvent['type']> = new Set([
  'allocation.reserved',
  'allocation.released',
  'allocation.expired',
  'backend.registered',
  'backend.updated',
  'backend.removed',
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
  readonly #changed = new Set<string>();

  constructor(fleet: FleetView, clock: Clock) {
    this.#fleet = fleet;
    this.#clock = clock;
    for (const id of fleet.state.backends.keys()) this.#reckon(id, clock.now());
  }

  /** A record was folded. */
  onRecord({ events }: LogRecord): void {
    for (const { type, data, time } of events) {
      if (type.startsWith('pool.') || type === 'config.applied') this.#changeAll();
      const atMs = Date.parse(time);
      // What it held is free.
      if (type === 'gateway.lost' || type === 'gateway.stopped')
        for (const id of this.#fleet.state.backends.keys()) this.#reckon(id, atMs);
      if (!TELLING.has(type)) continue;
      const { backend } = 'settings' in data ? { backend: data.settings.id } : (data as { backend: string });
      this.#changed.add(backend);
      this.#reckon(backend, atMs);
    }
  }

  /** What is known of a backend of the fleet. */
  factsOf({ settings, stats, stale, latencyMs, reserved }: BackendState): ResourceFacts {
    const { id, place, capacity } = settings;
    const unreported = this.#histories.get(id)?.unreported(stats?.atMs ?? 0) ?? NO_RESOURCES;
    return { place, capacity, stats, stale, latencyMs, reserved, unreported };
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

  /** Marks in a backend's history what is reserved of it from now on. */
  #reckon(id: string, atMs: number): void {
    const reserved = this.#fleet.state.backends.get(id)?.reserved;
    if (reserved === undefined) return;
    const change = plusResources(reserved, this.#histories.get(id)?.reserved ?? NO_RESOURCES, -1);
    if (DIMENSIONS.every((dimension) => change[dimension] === 0)) return;
    this.#historyOf(id).add(change, atMs);
    this.#changed.add(id);
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
    return [{ kind: 'facts', backend: id, facts: this.factsOf(backend) }];
  }
}
