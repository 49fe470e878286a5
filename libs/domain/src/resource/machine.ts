import type { BackendStats, Eligibility, Resources } from '../backend.ts';
import type { Place } from './place.ts';
import { DIMENSIONS, NO_RESOURCES } from './tier.ts';

/** From this share on a core counts as taken. */
const CORE_BUSY_PERCENT = 80;

/** How many cores are free to be taken. */
export function idleCores(coresPercent: readonly number[]): number {
  return coresPercent.filter((percent) => percent < CORE_BUSY_PERCENT).length;
}

/** What is known of a backend's resources. */
export interface ResourceFacts {
  /** Absent = unknown: then it counts as far from a client as the others are on average. */
  readonly place?: Place | undefined;
  /** Moving average. */
  readonly latencyMs: number;
  readonly stats: BackendStats | null;
  /** The report is so old that the backend counts as saturated. */
  readonly stale: boolean;
  /** What was declared that reservations may fill. */
  readonly capacity?: Resources | undefined;
  /** What is reserved at present. */
  readonly reserved: Resources;
  /** What of it the report does not contain yet; negative where the report contains what was given back since. */
  readonly unreported: Resources;
}

/** A backend when its resources are to be judged. */
export interface ResourceBackend extends ResourceFacts {
  readonly id: string;
  /** Share among backends that are as good as each other; 0 = never chosen. */
  readonly weight: number;
  /** What its regions say. */
  readonly barred: Eligibility;
}

/** Of a backend that has told nothing, and of which nothing was declared. */
export const NO_FACTS: ResourceFacts = {
  latencyMs: 0,
  stats: null,
  stale: false,
  reserved: NO_RESOURCES,
  unreported: NO_RESOURCES,
};

/**
 * A backend's resources as they are thought to be now: what it reported, and on top what is reserved but not in the
 * report yet. Without a report, what was declared with everything reserved in use; with neither, nothing is known.
 */
export interface Machine {
  readonly source: 'report' | 'declared' | 'none';
  /** Load of each core in percent, least first. */
  readonly cores: readonly number[];
  readonly pendingCores: number;
  readonly free: Pick<Resources, 'milliCpu' | 'memoryBytes' | 'storageBytes'>;
  /** 0..100; 100 when the total is unknown or zero, because there is nothing to give. */
  readonly memoryPercent: number;
  readonly gpuPercent: number;
  /** Free memory of each card, most first; of a machine that was only declared an equal share. */
  readonly gpuFreeBytes: readonly number[];
  readonly pendingGpus: number;
}

export function machineOf(backend: ResourceFacts): Machine {
  if (backend.stats !== null) return reported(backend.stats, backend.unreported);
  return backend.capacity === undefined ? UNKNOWN : declared(backend.capacity, backend.reserved);
}

const UNKNOWN: Machine = {
  source: 'none',
  cores: [],
  pendingCores: 0,
  free: { milliCpu: 0, memoryBytes: 0, storageBytes: 0 },
  memoryPercent: 100,
  gpuPercent: 100,
  gpuFreeBytes: [],
  pendingGpus: 0,
};

function reported(stats: BackendStats, unreported: Resources): Machine {
  const { coresPercent, memoryTotalBytes, memoryUsedBytes, diskTotalBytes, diskUsedBytes, gpus } = stats;
  const idle = idleCores(coresPercent);
  const gpuPercents = gpus.reduce((sum, { percent }) => sum + percent, 0);
  const pendingGpus = wholeCredit(unreported.gpus, 1);
  return {
    source: 'report',
    cores: coresPercent.toSorted((a, b) => a - b),
    pendingCores: Math.max(0, unreported.milliCpu / 1000),
    free: {
      // A core that is busy counts as taken whole, so one that was partly given back counts as given back whole.
      milliCpu: Math.min(1000 * coresPercent.length, 1000 * idle - wholeCredit(unreported.milliCpu, 1000)),
      memoryBytes: Math.min(memoryTotalBytes, memoryTotalBytes - memoryUsedBytes - unreported.memoryBytes),
      storageBytes: Math.min(diskTotalBytes, diskTotalBytes - diskUsedBytes - unreported.storageBytes),
    },
    memoryPercent: percentOf(memoryUsedBytes + unreported.memoryBytes, memoryTotalBytes),
    gpuPercent: percentOf(gpuPercents + 100 * pendingGpus, 100 * gpus.length),
    gpuFreeBytes: gpus
      .map((gpu) => Math.max(0, gpu.memoryTotalBytes - gpu.memoryUsedBytes))
      .toSorted((a, b) => b - a),
    pendingGpus,
  };
}

function declared(capacity: Resources, reserved: Resources): Machine {
  const free = remaining(capacity, reserved);
  const each = capacity.gpus === 0 ? 0 : Math.floor(capacity.gpuMemoryBytes / capacity.gpus);
  return {
    source: 'declared',
    cores: Array.from({ length: Math.ceil(capacity.milliCpu / 1000) }, () => 0),
    pendingCores: reserved.milliCpu / 1000,
    free,
    memoryPercent: percentOf(reserved.memoryBytes, capacity.memoryBytes),
    gpuPercent: percentOf(reserved.gpus, capacity.gpus),
    gpuFreeBytes: Array.from({ length: capacity.gpus }, () => each),
    pendingGpus: reserved.gpus,
  };
}

/** What is left of a capacity; negative where more is reserved than there is. */
export function remaining(capacity: Resources, reserved: Resources): Resources {
  const left = { ...capacity };
  for (const dimension of DIMENSIONS) left[dimension] -= reserved[dimension];
  return left;
}

/** A credit is rounded up to whole units, a debt is left as it is. */
function wholeCredit(amount: number, unit: number): number {
  return amount < 0 ? Math.floor(amount / unit) * unit : amount;
}

function percentOf(used: number, total: number): number {
  if (!(total > 0)) return 100;
  return Math.min(100, Math.max(0, (100 * used) / total));
}
