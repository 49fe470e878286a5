import { type BackendStats, idleCores } from '@usher/domain';

/** Smaller changes of any share wait for the heartbeat. */
const MOVED_POINTS_MIN = 1;
/** A backend whose numbers stand still is written this often, so that readers see that it still reports. */
const HEARTBEAT_MS = 10_000;

/** Whether a new report tells the log something that the last one written there does not. */
export function worthWriting(written: BackendStats | null, report: BackendStats): boolean {
  if (written === null || report.atMs - written.atMs >= HEARTBEAT_MS) return true;
  const before = shares(written);
  const after = shares(report);
  if (before.length !== after.length || written.coresPercent.length !== report.coresPercent.length)
    return true;
  if (written.memoryTotalBytes !== report.memoryTotalBytes) return true;
  if (idleCores(written.coresPercent) !== idleCores(report.coresPercent)) return true;
  return after.some((share, i) => Math.abs(share - before[i]!) >= MOVED_POINTS_MIN);
}

/** What strategies look at beside how many cores are free, in percent. Single cores wobble without meaning: here their mean. */
function shares(stats: BackendStats): number[] {
  const cores = stats.coresPercent.reduce((sum, percent) => sum + percent, 0);
  return [
    cores / Math.max(1, stats.coresPercent.length),
    percent(stats.memoryUsedBytes, stats.memoryTotalBytes),
    percent(stats.diskUsedBytes, stats.diskTotalBytes),
    ...stats.gpus.flatMap((gpu) => [gpu.percent, percent(gpu.memoryUsedBytes, gpu.memoryTotalBytes)]),
  ];
}

function percent(used: number, total: number): number {
  return total > 0 ? (100 * used) / total : 0;
}
