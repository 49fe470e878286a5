import type { FleetView } from '@usher/ports';
import type { Facts } from './facts.ts';
import type { Observations } from './observations.ts';

/**
 * Tells the log, once for each drain, that this gateway has nothing under way any more to a backend that drains. That
 * can only be said once every worker is known to have stopped choosing it.
 */
export class Drains {
  readonly #gateway: string;
  readonly #fleet: FleetView;
  readonly #facts: Facts;
  readonly #observations: Observations;
  /** By backend, the revision for which that was told. */
  readonly #answered = new Map<string, number>();

  constructor(gateway: string, fleet: FleetView, facts: Facts, observations: Observations) {
    this.#gateway = gateway;
    this.#fleet = fleet;
    this.#facts = facts;
    this.#observations = observations;
  }

  /** Looks at every drain under way; `workers` is how many workers listen. */
  check(workers: number): void {
    const gateway = this.#gateway;
    for (const backend of this.#answered.keys()) {
      if (this.#fleet.state.backends.get(backend)?.lifecycle !== 'draining') this.#answered.delete(backend);
    }
    for (const [backend, { lifecycle, emptiedBy, revision }] of this.#fleet.state.backends) {
      if (lifecycle !== 'draining' || emptiedBy.has(gateway)) continue;
      if (this.#answered.get(backend) === revision) continue;
      if (!this.#observations.isEmpty(backend, revision, workers)) continue;
      const told = this.#facts.tell({
        type: 'backend.emptied',
        subject: backend,
        data: { backend, gateway, revision },
      });
      if (told) this.#answered.set(backend, revision);
    }
  }
}
