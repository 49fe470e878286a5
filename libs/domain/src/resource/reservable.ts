import type { Resources } from '../backend.ts';
import { freeCards, type Shortage } from './fit.ts';
import { machineOf, type ResourceFacts } from './machine.ts';
import { DIMENSIONS, memoryPerGpu, NO_RESOURCES, type Tier } from './tier.ts';

/**
 * How much reservations may fill of a backend in all, those of the present included: what was declared, and no more
 * than what is reserved plus what is measured to be free. It does not change by reserving or giving back, so whoever
 * reserves in one step for the whole fleet can hold the sum to it, however many others have reserved meanwhile.
 */
export function reservable(backend: ResourceFacts, tier: Tier): Resources {
  if (backend.stats === null) return backend.capacity ?? NO_RESOURCES;
  if (backend.stale) return NO_RESOURCES;
  const machine = machineOf(backend);
  const free: Resources = {
    ...machine.free,
    gpus: freeCards(machine, memoryPerGpu(tier.resources)),
    gpuMemoryBytes:
      machine.gpuFreeBytes.reduce((sum, bytes) => sum + bytes, 0) - backend.unreported.gpuMemoryBytes,
  };
  const most = { ...NO_RESOURCES };
  for (const dimension of DIMENSIONS) {
    const measured = Math.max(0, backend.reserved[dimension] + Math.floor(free[dimension]));
    most[dimension] = Math.min(backend.capacity?.[dimension] ?? measured, measured);
  }
  return most;
}

/** What reservations leave too little of for one more request of the tier; undefined when there is enough. */
export function lacking(backend: ResourceFacts, tier: Tier): Shortage | undefined {
  const most = reservable(backend, tier);
  for (const dimension of DIMENSIONS) {
    const needed = tier.resources[dimension];
    const free = most[dimension] - backend.reserved[dimension];
    if (needed > 0 && needed > free) return { dimension, needed, free };
  }
  return undefined;
}
