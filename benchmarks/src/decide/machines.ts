import {
  NO_RESOURCES,
  onSphere,
  type Place,
  type ResourceFacts,
  type SpherePoint,
  type Tier,
  type Uniform,
} from '@usher/domain';

const GIB = 2 ** 30;

/** What requests need. */
export const TIER: Tier = {
  name: 'm',
  resources: { ...NO_RESOURCES, milliCpu: 2_000, memoryBytes: 2 * GIB },
};

/** A machine somewhere on the Earth with any load. */
export function machineBy(chance: Uniform): ResourceFacts {
  return {
    place: placeBy(chance),
    latencyMs: 20 * chance.next(),
    stats: {
      atMs: 0,
      coresPercent: Array.from({ length: 8 }, () => 100 * chance.next()),
      memoryUsedBytes: 24 * GIB * chance.next(),
      memoryTotalBytes: 32 * GIB,
      diskUsedBytes: GIB,
      diskTotalBytes: 100 * GIB,
      gpus: [],
    },
    stale: false,
    reserved: NO_RESOURCES,
    unreported: NO_RESOURCES,
  };
}

export function pointBy(chance: Uniform): SpherePoint | undefined {
  return onSphere(placeBy(chance));
}

/** Even over the sphere. */
function placeBy(chance: Uniform): Place {
  const north = Math.asin(2 * chance.next() - 1);
  return { latitude: (north * 180) / Math.PI, longitude: 360 * chance.next() - 180 };
}
