import type { StateStore } from '@usher/ports';

const unused = (): Promise<never> => Promise.reject(new Error('not used'));

/** The parts of a state store that a test of leases does not need; whoever calls them after all gets an error. */
export const LEASES_ONLY: Pick<StateStore, 'reservations' | 'sticky' | 'rates'> = {
  reservations: {
    reserve: unused,
    release: unused,
    renew: unused,
    restore: unused,
    sweep: unused,
    list: unused,
  },
  rates: { take: unused, give: unused },
  sticky: { get: unused, assign: unused, move: unused, clear: unused },
};
