import type { EjectionCause } from '@usher/domain';

/** What a worker itself found out about a backend's passive health, or about a pool. */
export type PoolNews =
  | {
      readonly kind: 'ejected';
      readonly pool: string;
      readonly backend: string;
      readonly cause: EjectionCause;
      /** What ended in the window, or was in a row, and the failures among it. */
      readonly requests: number;
      readonly failures: number;
      readonly untilMs: number;
      readonly times: number;
    }
  | { readonly kind: 'readmitted'; readonly pool: string; readonly backend: string }
  | {
      readonly kind: 'panic';
      readonly pool: string;
      readonly on: boolean;
      /** Backends that are eligible, and those that would be if nothing were wrong. */
      readonly eligible: number;
      readonly backends: number;
    };
