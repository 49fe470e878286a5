import { clearanceOf } from '@usher/domain';
import type { FleetView } from '@usher/ports';

/**
 * What sessions are called in the store and among gateways: another name after each time that they are cleared. So nobody has
 * to look for what is over, which goes as everything does that is not used.
 */
export class SessionNames {
  readonly #fleet: Pick<FleetView, 'state'>;

  constructor(fleet: Pick<FleetView, 'state'>) {
    this.#fleet = fleet;
  }

  /** The name of a session, or of its part of one tier (`session#tier`). */
  nameOf(pool: string, session: string): string {
    const known = this.#fleet.state.pools.get(pool);
    if (known === undefined) return session;
    const [id = '', ...tier] = session.split('#');
    const clearance = clearanceOf(known, id);
    return clearance === null ? session : [`${id}~${clearance.position}`, ...tier].join('#');
  }
}
