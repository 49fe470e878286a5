import type { Eligibility, Resources } from '../backend.ts';
import { type Machine, type ResourceBackend, remaining } from './machine.ts';
import { DIMENSIONS, type Dimension, memoryPerGpu, needsNothing, type Tier } from './tier.ts';

/**
 * Why a backend cannot take a request of a tier, `ok` when it can: what its regions say; `weight` 0; no report and
 * nothing declared; a report too old to rely on; too little left of its capacity by reservations; too little free of
 * one resource by measurement.
 */
export type FitReason =
  | Eligibility
  | 'weight'
  | 'no_report'
  | 'stale_report'
  | 'reserved'
  | 'cpu'
  | 'memory'
  | 'storage'
  | 'gpus'
  | 'gpu_memory';

export interface Fit {
  readonly reason: FitReason;
  /** Of what there is too little, in that dimension's unit; absent when the reason is no amount. */
  readonly short?: Shortage | undefined;
}

export interface Shortage {
  readonly dimension: Dimension;
  readonly needed: number;
  readonly free: number;
}

const FITS: Fit = { reason: 'ok' };

/** Whether a backend can take a request of the tier; the first reason against it otherwise. */
export function fit(backend: ResourceBackend, machine: Machine, { resources: need }: Tier): Fit {
  if (backend.barred !== 'ok') return { reason: backend.barred };
  if (!(backend.weight > 0)) return { reason: 'weight' };
  if (needsNothing(need)) return FITS;
  if (machine.source === 'none') return { reason: 'no_report' };
  if (machine.source === 'report' && backend.stale) return { reason: 'stale_report' };
  if (backend.capacity !== undefined) {
    const left = remaining(backend.capacity, backend.reserved);
    const dimension = DIMENSIONS.find((each) => lacks(need[each], left[each]));
    if (dimension !== undefined) return tooLittle('reserved', dimension, need[dimension], left[dimension]);
  }
  return measured(machine, need);
}

function measured(machine: Machine, need: Resources): Fit {
  const { free } = machine;
  if (lacks(need.milliCpu, free.milliCpu)) return tooLittle('cpu', 'milliCpu', need.milliCpu, free.milliCpu);
  if (lacks(need.memoryBytes, free.memoryBytes))
    return tooLittle('memory', 'memoryBytes', need.memoryBytes, free.memoryBytes);
  if (lacks(need.storageBytes, free.storageBytes))
    return tooLittle('storage', 'storageBytes', need.storageBytes, free.storageBytes);
  if (need.gpus === 0) return FITS;
  const cards = freeCards(machine, 0);
  if (cards < need.gpus) return tooLittle('gpus', 'gpus', need.gpus, cards);
  const each = memoryPerGpu(need);
  if (freeCards(machine, each) < need.gpus)
    return tooLittle('gpu_memory', 'gpuMemoryBytes', each, machine.gpuFreeBytes[need.gpus - 1] ?? 0);
  return FITS;
}

/** Cards with at least so much free memory, without those that are reserved but not in the report yet. */
export function freeCards({ gpuFreeBytes, pendingGpus }: Machine, bytes: number): number {
  const fitting = gpuFreeBytes.filter((free) => free >= bytes).length;
  return Math.min(gpuFreeBytes.length, fitting - pendingGpus);
}

/** What is not needed is not looked at: a machine without any of it is as good as another. */
function lacks(needed: number, free: number): boolean {
  return needed > 0 && needed > free;
}

function tooLittle(reason: FitReason, dimension: Dimension, needed: number, free: number): Fit {
  return { reason, short: { dimension, needed, free } };
}
