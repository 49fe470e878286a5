import {
  type BackendSettings,
  type BackendState,
  NO_RESOURCES,
  plusResources,
  type Resources,
  reservable,
  type Tier,
} from '@usher/domain';
import type { FleetView } from '@usher/ports';
import type { ResourceFactsFeed } from '../resource-facts.ts';

export interface BackendsSeenOptions {
  readonly fleet: FleetView;
  readonly resources: ResourceFactsFeed;
  /** This gateway. */
  readonly me: string;
  /** What to go by until the log has a configuration. */
  readonly fallback: readonly BackendSettings[];
}

/** What the control thread knows of backends whose resources are reserved. */
export class BackendsSeen {
  readonly #options: BackendsSeenOptions;

  constructor(options: BackendsSeenOptions) {
    this.#options = options;
  }

  /** What reservations may fill of a backend of this pool; undefined when it is none that could serve. */
  capacity(pool: string, id: string, tier: Tier): Resources | undefined {
    const settings = this.#declaredOf(id);
    if (settings?.pool !== pool) return undefined;
    const { fleet, resources } = this.#options;
    const backend = fleet.state.backends.get(id);
    if (backend === undefined) return settings.capacity ?? NO_RESOURCES;
    return serves(backend) ? reservable(resources.factsOf(backend), tier) : undefined;
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
}

/** Whether it may get requests, as far as room is not the question. */
function serves({ lifecycle, health }: BackendState): boolean {
  return lifecycle === 'active' && health !== 'unhealthy';
}
