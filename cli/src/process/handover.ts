import type { UsherEvent } from '@usher/events';
import type { ListeningSocket } from '@usher/runtime';

/**
 * What two processes tell each other while one takes over from the other. They may be of different versions: what is here
 * may grow, and what a version does not know it passes over.
 */

/** The variable by which a process knows that it was started by the one that it takes over from. */
export const SUCCESSOR_VARIABLE = 'SUCCEEDS_USHER';

export type ToSuccessor =
  /** The first one. */
  | {
      readonly kind: 'inherit';
      /** Descriptors are numbered as the successor has them. */
      readonly sockets: readonly ListeningSocket[];
      /** What the other's gateway is called, which the successor's must not be. */
      readonly gateway: string;
    }
  /** The event log is closed. */
  | { readonly kind: 'log_free' }
  /** For the log, from one who cannot write to it any more. */
  | { readonly kind: 'facts'; readonly subject: string; readonly events: readonly UsherEvent[] };

export type FromSuccessor =
  /** The configuration is good; a log that only one process can have is needed next. */
  | { readonly kind: 'log_needed' }
  /** It takes traffic. */
  | { readonly kind: 'ready' };
