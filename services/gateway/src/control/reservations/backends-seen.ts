import {
  type BackendSettings,
  type BackendState,
  NO_RESOURCES,
  plusResources,
  ReservedHistory,
  type Resources,
  reservable,
  type Tier,
} from '@usher/domain';
import type { UsherEvent } from '@usher/events';
import type { Clock, FleetView } from '@usher/ports';

/** Agents report means over this time. */
const REPORT_WINDOW_MS = 15_000;

export interface BackendsSeenOptions {
  readonly fleet: FleetView;
  readonly clock: Clock;
  /** This gateway. */
  readonly me: string;
  /** What to go by until the log has a configuration. */
  readonly fallback: readonly BackendSettings[];
}

/** What the control thread knows of backends whose resources are reserved. */
export class BackendsSeen {
  readonly #options: BackendsSeenOptions;
  /** Of backends that report. */
  readonly #histories = new Map<string, ReservedHistory>();

  constructor(options: BackendsSeenOptions) {
    this.#options = options;
    for (const id of options.fleet.state.backends.keys()) this.#remember(id);
  }

  /** To be told of every event, after it was folded. */
  follow({ type, data }: UsherEvent): void {
    if (type === 'backend.removed') this.#histories.delete(data.backend);
    else if (type === 'gateway.lost' || type === 'gateway.stopped')
      for (const id of this.#histories.keys()) this.#remember(id);
    else if (type === 'backend.stats_reported' || type.startsWith('allocation.'))
      this.#remember((data as { readonly backend: string }).backend);
  }

  /** What reservations may fill of a backend of this pool; undefined when it is none that could serve. */
  capacity(pool: string, id: string, tier: Tier): Resources | undefined {
    const { state } = this.#options.fleet;
    const backend = state.backends.get(id);
    if (backend !== undefined && state.config !== null)
      return backend.settings.pool === pool && serves(backend)
        ? this.#reservable(id, backend, tier)
        : undefined;
    const settings = this.#declaredOf(id);
    return settings?.pool === pool ? (settings.capacity ?? NO_RESOURCES) : undefined;
  }

  /** Ids of the backends of a pool. */
  of(pool: string): string[] {
    const { fleet, fallback } = this.#options;
    const { config, backends } = fleet.state;
    const all = config === null ? fallback : Array.from(backends.values(), ({ settings }) => settings);
    return all.filter((each) => each.pool === pool).map(({ id }) => id);
  }

  /** What was declared that reservations may fill. */
  declared(id: string): Resources | undefined {
    return this.#declaredOf(id)?.capacity;
  }

  /** What the other gateways have reserved of a backend, by the log. */
  reservedByOthers(id: string): Resources {
    const { fleet, me } = this.#options;
    let sum = NO_RESOURCES;
    for (const { owner, resources } of fleet.state.backends.get(id)?.allocations.values() ?? [])
      if (owner !== me) sum = plusResources(sum, resources, 1);
    return sum;
  }

  /** The gateways that run, this one included. */
  gateways(): string[] {
    const { fleet, me } = this.#options;
    const running = [...fleet.state.gateways].filter(([, gateway]) => gateway.running).map(([name]) => name);
    return running.includes(me) ? running : [...running, me];
  }

  /** What the log says that this gateway holds of a pool: allocation and backend. */
  *mine(pool: string): Generator<{ readonly allocation: string; readonly backend: string }> {
    const { fleet, me } = this.#options;
    for (const [backend, { settings, allocations }] of fleet.state.backends) {
      if (settings.pool !== pool) continue;
      for (const { id, owner } of allocations.values()) if (owner === me) yield { allocation: id, backend };
    }
  }

  #declaredOf(id: string): BackendSettings | undefined {
    const { fleet, fallback } = this.#options;
    const { config, backends } = fleet.state;
    return config === null ? fallback.find((each) => each.id === id) : backends.get(id)?.settings;
  }

  #reservable(id: string, backend: BackendState, tier: Tier): Resources {
    const { stats, stale, settings, latencyMs, reserved } = backend;
    const unreported = stats === null ? reserved : this.#histories.get(id)?.unreported(stats.atMs);
    return reservable(
      {
        id,
        weight: settings.weight,
        barred: 'ok',
        latencyMs,
        stats,
        stale,
        capacity: settings.capacity,
        reserved,
        unreported: unreported ?? reserved,
      },
      tier,
    );
  }

  /** Marks in a backend's history what is reserved of it now. */
  #remember(id: string): void {
    const { fleet, clock } = this.#options;
    const backend = fleet.state.backends.get(id);
    if (backend === undefined || backend.stats === null) return;
    let history = this.#histories.get(id);
    if (history === undefined) {
      history = new ReservedHistory(REPORT_WINDOW_MS, clock.now());
      this.#histories.set(id, history);
    }
    history.add(plusResources(backend.reserved, history.reserved, -1), clock.now());
  }
}

/** Whether it may get requests, as far as room is not the question. */
function serves({ lifecycle, health }: BackendState): boolean {
  return lifecycle === 'active' && health !== 'unhealthy';
}
