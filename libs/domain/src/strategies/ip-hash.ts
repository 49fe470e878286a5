import { LookupTable } from './lookup-table.ts';
import { dealByRendezvous } from './rendezvous-table.ts';
import type { Strategy } from './strategy.ts';

/** The same client address to the same backend, however loaded that is. */
export const ipHash: Strategy = {
  needsKey: true,
  needsAnswers: false,
  needsLoad: false,
  create: () => new LookupTable(dealByRendezvous),
};
