import type { UsherEvent } from '@usher/events';
import type { FleetView } from '@usher/ports';

/** Events after which another backend may be the only healthy one of its pool. */
const CHANGING = /^(pool|backend)\.(?!latency_measured|stats_reported|probes_passed)/;

/** The pools with a backend that is healthy and in service; worked out anew when it is asked for after a change. */
export class HealthyPools {
  readonly #fleet: FleetView;
  #pools: Set<string> | undefined;

  constructor(fleet: FleetView) {
    this.#fleet = fleet;
  }

  has(pool: string): boolean {
    this.#pools ??= this.#count();
    return this.#pools.has(pool);
  }

  follow(events: readonly UsherEvent[]): void {
    if (events.some(({ type }) => CHANGING.test(type))) this.#pools = undefined;
  }

  #count(): Set<string> {
    const pools = new Set<string>();
    for (const { settings, health, lifecycle } of this.#fleet.state.backends.values())
      if (health === 'healthy' && lifecycle === 'active') pools.add(settings.pool);
    return pools;
  }
}
