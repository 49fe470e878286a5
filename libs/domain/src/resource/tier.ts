import type { Resources } from '../backend.ts';

/**
 * What a request of this tier needs. `gpuMemoryBytes` is the sum over its cards, each of which needs the same share:
 * memory that is free on several cards together is of no use to a model that must fit on one.
 */
export interface Tier {
  readonly name: string;
  readonly resources: Resources;
}

export const DIMENSIONS = [
  'milliCpu',
  'memoryBytes',
  'storageBytes',
  'gpus',
  'gpuMemoryBytes',
] as const satisfies readonly (keyof Resources)[];
export type Dimension = (typeof DIMENSIONS)[number];

export const NO_RESOURCES: Resources = {
  milliCpu: 0,
  memoryBytes: 0,
  storageBytes: 0,
  gpus: 0,
  gpuMemoryBytes: 0,
};

/** Memory that each card of the tier must have; 0 when the tier has no cards. */
export function memoryPerGpu({ gpus, gpuMemoryBytes }: Resources): number {
  return gpus === 0 ? 0 : Math.ceil(gpuMemoryBytes / gpus);
}

export function needsNothing(need: Resources): boolean {
  return DIMENSIONS.every((dimension) => need[dimension] === 0);
}
