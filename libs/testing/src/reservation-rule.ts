import { NO_RESOURCES } from '@usher/domain';
import type {
  ReservationCandidate,
  ReservationRequest,
  RestoredAllocation,
  RestoreRequest,
} from '@usher/ports';

/** One call on the pool `p` and what it must answer, or what must be there. */
export type Step =
  | { readonly reserve: Partial<ReservationRequest>; readonly answers: object }
  /** One allocation, by the gateway `by`, which is usually gw-1; answers with the backend if it was given back. */
  | { readonly release: string; readonly by?: string; readonly answers: string | undefined }
  | {
      readonly renew: string;
      readonly told?: string;
      readonly keeps?: readonly string[];
      readonly answers: object;
    }
  | { readonly restore: Partial<RestoreRequest>; readonly answers: object }
  | { readonly sweep: number; readonly answers: readonly object[] }
  /** Sweeping again and again gives back exactly these. */
  | { readonly sweepsInTime: readonly string[] }
  | { readonly holds: readonly string[]; readonly used: Readonly<Record<string, number>> };

/**
 * What holds for every driver of reservations, as calls and their answers. Unless the case says that the pool is closed it is
 * open, and all of `USUAL_GATEWAYS` have told that they hold nothing.
 */
export interface Rule {
  readonly name: string;
  readonly closed?: true;
  readonly steps: readonly Step[];
}

/** Long enough that it does not run out in a test, and short enough to wait for. */
export const LONG_MS = 60_000;
export const SHORT_MS = 30;

export const GIB = 2 ** 30;
export const cores = (count: number) => ({ ...NO_RESOURCES, milliCpu: 1000 * count });
/** A backend with so many cores. */
export const on = (backend: string, count: number, max = 0): ReservationCandidate => ({
  backend,
  capacity: cores(count),
  max,
});
export const held = (allocation: string, backend: string, count: number): RestoredAllocation => ({
  allocation,
  backend,
  resources: cores(count),
  ttlMs: LONG_MS,
});
export const session = (id: string, tier = 't') => ({ id, tier });
export const back = (allocation: string, backend: string) => ({ allocation, backend });

export const USUAL_GATEWAYS = ['gw-1', 'gw-2', 'gw-3', 'gw-0', 'gw-11', 'gw-'];

/** Where all calls arrive in their order, every restore may have the same name. */
export const USUAL_TOLD = 'told';
/** Where the one who asks leaves something out: a core on `b1`, which has two. */
export const USUAL_REQUEST: ReservationRequest = {
  pool: 'p',
  allocation: 'a1',
  owner: 'gw-1',
  told: USUAL_TOLD,
  leaseMs: LONG_MS,
  ttlMs: LONG_MS,
  resources: cores(1),
  candidates: [on('b1', 2)],
};
export const USUAL_RESTORE: RestoreRequest = {
  pool: 'p',
  owner: 'gw-1',
  told: USUAL_TOLD,
  after: USUAL_TOLD,
  leaseMs: LONG_MS,
  allocations: [],
  underWay: [],
  gateways: ['gw-1'],
};
