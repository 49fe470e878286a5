import type { GpuStats } from '@usher/domain';
import type { AgentReport } from '@usher/events';
import type { Body } from './body.ts';

const GIB = 2 ** 30;
/** Beyond what any machine has; keeps sums of bytes exact. */
const GIB_MAX = 2 ** 20;
const SIZE = { max: GIB_MAX };
/** Means of samples that were rounded can be a little above what is possible. */
const PERCENT = { min: -1, max: 110 };

/** What a client reports, as its backend's statistics. What it gave in GB is GiB. */
export function reportOf(body: Body, nowMs: number, staleAfterMs: number): AgentReport {
  const [memoryUsedBytes, memoryTotalBytes] = amounts(body, 'memory');
  const [diskUsedBytes, diskTotalBytes] = amounts(body, 'disk');
  return {
    atMs: nowMs,
    staleAfterMs,
    coresPercent: body.numbers('cpu_usage_avg', PERCENT).map(percent),
    memoryUsedBytes,
    memoryTotalBytes,
    diskUsedBytes,
    diskTotalBytes,
    gpus: body.objects('gpus').map(gpuOf),
  };
}

/** Used and total bytes. */
function amounts(body: Body, kind: 'memory' | 'disk'): readonly [number, number] {
  const total = body.number(`${kind}_total_gb`, SIZE) ?? 0;
  const free = body.number(`${kind}_avail_gb`, SIZE) ?? total;
  const used = body.number(`${kind}_used_gb`, SIZE) ?? Math.max(0, total - free);
  return [bytes(used), bytes(total)];
}

function gpuOf(gpu: Body): GpuStats {
  return {
    percent: percent(gpu.number('utilization_pct', PERCENT) ?? 0),
    memoryUsedBytes: bytes(gpu.number('memory_used_gb', SIZE) ?? 0),
    memoryTotalBytes: bytes(gpu.number('memory_total_gb', SIZE) ?? 0),
    temperatureC: gpu.number('temperature_c', { min: -273, max: 1_000 }) ?? 0,
    powerW: gpu.number('power_draw_w', { max: 100_000 }) ?? 0,
  };
}

function bytes(gib: number): number {
  return Math.round(gib * GIB);
}

function percent(value: number): number {
  return Math.min(100, Math.max(0, value));
}
