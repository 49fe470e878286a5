import { join } from 'node:path';
import type { Cgroup, CpuLimit } from './cgroup.ts';
import { SmallFile } from './small-file.ts';

/** The kernel counts in ticks of this length (USER_HZ is 100 on every Linux that Node runs on). */
const TICK_MS = 10;
/** Between two readings lies a second. Much more means that this process stood still. */
const GAP_MS_MAX = 5_000;

/** What the cores did between two readings. */
export interface CpuTimes {
  /** Milliseconds that each core was busy. */
  readonly busyMs: readonly number[];
  /** Milliseconds that each core could have been busy. */
  readonly totalMs: readonly number[];
}

interface Reading {
  readonly atMs: number;
  readonly cores: ReadonlyMap<number, CoreTimes>;
  readonly limits: readonly CpuLimit[];
}

interface CoreTimes {
  readonly busy: number;
  readonly total: number;
}

/**
 * How busy each core was since the last reading. Under a CPU quota smaller than the cores, what counts is how much of
 * the quota is left; it is told for as many whole cores as the quota grants, so that capacity is never overstated.
 */
export class CpuSource {
  readonly #stat: SmallFile;
  readonly #cgroup: Cgroup;
  #last: Reading | undefined;

  /** Throws when `/proc/stat` cannot be read, as on systems other than Linux. */
  constructor(root: string, cgroup: Cgroup) {
    this.#stat = new SmallFile(join(root, 'proc/stat'));
    this.#cgroup = cgroup;
  }

  /** Undefined when this reading cannot be compared with one before. `nowMs`: by the steady clock. */
  read(nowMs: number): CpuTimes | undefined {
    const before = this.#last;
    const after = { atMs: nowMs, cores: parseCores(this.#stat.read()), limits: this.#cgroup.cpuLimits() };
    this.#last = after;
    if (before === undefined) return undefined;
    const allowed = this.#cgroup.allowedCores();
    const cores = [...after.cores.keys()].filter((core) => allowed?.has(core) ?? true);
    const limits = after.limits.filter((limit) => limit.cores < cores.length);
    return limits.length > 0 ? timesOfQuota(before, after, limits) : timesOfCores(before, after, cores);
  }

  close(): void {
    this.#stat.close();
  }
}

function timesOfCores(before: Reading, after: Reading, cores: readonly number[]): CpuTimes {
  const busyMs: number[] = [];
  const totalMs: number[] = [];
  for (const core of cores) {
    const [from, to] = [before.cores.get(core), after.cores.get(core)];
    // A core that was just switched on says nothing yet. The kernel's counters may run backwards a little.
    const total = from === undefined || to === undefined ? 0 : Math.max(0, to.total - from.total);
    const busy = from === undefined || to === undefined ? 0 : to.busy - from.busy;
    busyMs.push(Math.min(total, Math.max(0, busy)) * TICK_MS);
    totalMs.push(total * TICK_MS);
  }
  return { busyMs, totalMs };
}

/** Several groups, one in the other, may each have a limit: what can still be had is what the one with the least left has. */
function timesOfQuota(before: Reading, after: Reading, limits: readonly CpuLimit[]): CpuTimes | undefined {
  const elapsedMs = after.atMs - before.atMs;
  if (elapsedMs <= 0 || elapsedMs > GAP_MS_MAX) return undefined;
  const quota = Math.min(...limits.map(({ cores }) => cores));
  let freeCores = quota;
  for (const { level, cores, usedUs } of limits) {
    const usedBeforeUs = before.limits.find((limit) => limit.level === level)?.usedUs;
    if (usedBeforeUs === undefined) return undefined;
    freeCores = Math.min(freeCores, cores - (usedUs - usedBeforeUs) / 1_000 / elapsedMs);
  }
  const share = 1 - Math.max(0, freeCores) / quota;
  const told = Array.from({ length: Math.max(1, Math.floor(quota)) }, () => elapsedMs);
  return { busyMs: told.map((ms) => ms * share), totalMs: told };
}

/** Reads the lines `cpuN user nice system idle iowait irq softirq steal …`, times in ticks. */
function parseCores(stat: string): Map<number, CoreTimes> {
  const cores = new Map<number, CoreTimes>();
  for (const line of stat.slice(0, stat.indexOf('\nintr')).split('\n')) {
    const [name = '', ...fields] = line.split(' ');
    if (!/^cpu\d+$/.test(name)) continue;
    // Guests' time, the fields after `steal`, is contained in `user` and `nice`.
    const times = fields.slice(0, 8).map(Number);
    const total = times.reduce((sum, ticks) => sum + ticks, 0);
    const idle = (times[3] ?? 0) + (times[4] ?? 0);
    cores.set(Number(name.slice(3)), { busy: total - idle, total });
  }
  return cores;
}
