import type { Tier } from '@usher/domain';
import type { Session } from '@usher/ports';
import type { ReserveResult } from '../../worker/protocol.ts';

/** A worker's request for room, until it is answered. */
export interface Ask {
  readonly worker: number;
  readonly id: number;
  readonly pool: string;
  readonly tier: Tier;
  readonly session: Session | undefined;
  /** Ids of backends, best first. */
  readonly candidates: readonly string[];
  /** It asks for others if these are full, and so does not wait. */
  readonly more: boolean;
  /** There is nobody any more who could use what is granted. */
  over: boolean;
}

export type Full = Extract<ReserveResult, { readonly outcome: 'full' }>;
