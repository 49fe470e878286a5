import { type BackendState, eligibility, type GpuStats } from '@usher/domain';
import type { ClientDetails } from './registration.ts';

const GIB = 2 ** 30;

/** A client as `GET /clients` lists it: numbers are texts with their units, as its readers know them. */
export function clientView(
  backend: BackendState,
  { clientId, hostname, country, city, gpuModels, gpus: registered }: ClientDetails,
) {
  const { settings, stats, health, latencyMs } = backend;
  const gpus = stats?.gpus ?? [];
  const total = registered || gpus.length;
  return {
    client_id: clientId,
    hostname,
    endpoint: settings.url,
    location: [city, country].filter((part) => part !== '').join(', '),
    cpu_cores: stats?.coresPercent.length ?? 0,
    cpu_usage: (stats?.coresPercent ?? []).map((percent) => `${percent.toFixed(1)}%`),
    memory_gb: ofTotal(stats?.memoryUsedBytes, stats?.memoryTotalBytes),
    disk_gb: ofTotal(stats?.diskUsedBytes, stats?.diskTotalBytes),
    last_seen: stats === null ? null : new Date(stats.atMs).toISOString(),
    is_active: isActive(backend),
    health_status: health === 'unchecked' ? 'unknown' : health,
    latency_ms: latencyMs.toFixed(1),
    ...(total === 0
      ? {}
      : {
          total_gpus: total,
          gpu_models: gpuModels,
          gpu_stats: gpus.map((gpu, index) => gpuView(gpu, index, gpuModels[index])),
        }),
  };
}

/** It reports, and its backend is not about to go. */
export function isActive(backend: BackendState): boolean {
  const reason = eligibility(backend);
  return !backend.stale && reason !== 'draining' && reason !== 'drained' && reason !== 'disabled';
}

function gpuView(gpu: GpuStats, index: number, name = '') {
  return {
    device_id: index,
    name,
    utilization: `${gpu.percent.toFixed(1)}%`,
    vram: `${ofTotal(gpu.memoryUsedBytes, gpu.memoryTotalBytes)} GB`,
    temperature: `${gpu.temperatureC.toFixed(0)}°C`,
    ...(gpu.powerW > 0 ? { power_draw: `${gpu.powerW.toFixed(0)}W` } : {}),
  };
}

function ofTotal(used = 0, total = 0): string {
  return `${(used / GIB).toFixed(1)}/${(total / GIB).toFixed(1)}`;
}
