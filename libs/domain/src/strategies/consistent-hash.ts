import { LookupTable } from './lookup-table.ts';
import { dealByRendezvous } from './rendezvous-table.ts';
import type { Strategy } from './strategy.ts';

/** How much more than its part of the requests under way a backend may have before its keys go to the next one. */
const LOAD_FACTOR = 1.25;

/** The same key to the same backend as long as that is not overloaded: consistent hashing with bounded loads. */
export const consistentHash: Strategy = {
  needsKey: true,
  needsAnswers: false,
  needsLoad: true,
  create: () => new LookupTable(dealByRendezvous, LOAD_FACTOR),
};
