import { z } from 'zod';
import { id } from '../data-schemas.ts';
import { command } from './declaration.ts';

/** Longest that a client may send to be known by, and be looked for by an operator. */
const CLIENT_LENGTH_MAX = 4096;

/** Whose session; neither = that does not matter. */
const whose = {
  /** As the log names it. */
  session: z.string().min(1).max(128).optional(),
  /** What its client sends: the value of the header or of the cookie, or its address. */
  client: z.string().min(1).max(CLIENT_LENGTH_MAX).optional(),
};

/** Commands about what clients have: which backend, and what is reserved for them. */
export const SESSION_COMMANDS = {
  'sticky.clear': command({
    summary: 'have the sessions of a pool, or one of them, begin anew',
    on: 'pool',
    data: z.strictObject({ pool: id, ...whose }),
    http: {
      operation: 'clearSticky',
      method: 'POST',
      path: '/v1/pools/:id/sticky/clear',
      body: { besides: 'pool' },
    },
  }),
  'allocations.purge': command({
    summary: 'give back what is reserved of a pool, of one of its backends or for one session',
    on: 'pool',
    data: z.strictObject({ pool: id, ofBackend: id.optional(), ...whose }),
    http: {
      operation: 'purgeAllocations',
      method: 'POST',
      path: '/v1/pools/:id/allocations/purge',
      body: { besides: 'pool' },
    },
  }),
} as const;
