import type { Machine } from './machine.ts';
import type { Tier } from './tier.ts';

/** What each part of the score counts, 0 = not at all. A kilometre, a percent and a millisecond are worth the same by default. */
export interface ScoringSettings {
  readonly distance: number;
  readonly cpu: number;
  readonly memory: number;
  /** Counts for tiers with GPUs only. */
  readonly gpu: number;
  readonly latency: number;
}

export const DEFAULT_SCORING: ScoringSettings = { distance: 1, cpu: 1, memory: 1, gpu: 1.5, latency: 1 };

/** The weighted parts of a score, less is better. */
export interface ScoreParts {
  readonly distance: number;
  readonly cpu: number;
  readonly memory: number;
  readonly gpu: number;
  readonly latency: number;
}

/** Every part but the distance, which is the client's matter. */
export function scoreParts(
  machine: Machine,
  latencyMs: number,
  tier: Tier,
  scoring: ScoringSettings,
): Omit<ScoreParts, 'distance'> {
  return {
    cpu: scoring.cpu * leastLoadedPercent(machine, tier.resources.milliCpu),
    memory: scoring.memory * machine.memoryPercent,
    gpu: tier.resources.gpus > 0 ? scoring.gpu * machine.gpuPercent : 0,
    latency: Number.isFinite(latencyMs) ? scoring.latency * Math.max(0, latencyMs) : 0,
  };
}

/** The parts without the distance in one number. The order of the sum is fixed, so that it is the same bits everywhere. */
export function baseScore({ cpu, memory, gpu, latency }: Omit<ScoreParts, 'distance'>): number {
  return cpu + memory + gpu + latency;
}

/**
 * Mean load of the cores that the tier would get: as many of the least loaded as it needs, after those that earlier
 * reservations are about to fill. A tier that needs no core, or more than there are, is measured by all of them; no
 * core at all is a full one.
 */
function leastLoadedPercent({ cores, pendingCores }: Machine, milliCpu: number): number {
  if (cores.length === 0) return 100;
  const wanted = milliCpu === 0 ? cores.length : Math.min(cores.length, Math.ceil(milliCpu / 1000));
  return (loadUpTo(cores, pendingCores + wanted) - loadUpTo(cores, pendingCores)) / wanted;
}

/** Sum of the loads of the first `count` cores, a part of one in proportion; those beyond the last count as full. */
function loadUpTo(cores: readonly number[], count: number): number {
  const whole = Math.floor(Math.min(count, cores.length));
  let sum = 0;
  for (let index = 0; index < whole; index++) sum += cores[index]!;
  return sum + (count - whole) * (whole < cores.length ? cores[whole]! : 100);
}
