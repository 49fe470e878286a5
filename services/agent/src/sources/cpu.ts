import { join } from 'node:path';
import type { Cgroup } from './cgroup.ts';
import { SmallFile } from './small-file.ts';

interface CoreTimes {
  readonly busy: number;
  readonly total: number;
}

/**
 * How busy each core was since the last reading. Under a CPU quota smaller than the cores, what counts is the share of
 * the quota that was used; it is told for as many whole cores as the quota grants, so that capacity is never overstated.
 */
export class CpuSource {
  readonly #stat: SmallFile;
  readonly #cgroup: Cgroup;
  #cores = new Map<number, CoreTimes>();
  #usageUs: number | undefined;
  #readAtMs = 0;

  /** Throws when `/proc/stat` cannot be read, as on systems other than Linux. */
  constructor(root: string, cgroup: Cgroup) {
    this.#stat = new SmallFile(join(root, 'proc/stat'));
    this.#cgroup = cgroup;
  }

  /** Percent per core; undefined when nothing can be compared yet. */
  read(nowMs: number): readonly number[] | undefined {
    const before = { cores: this.#cores, usageUs: this.#usageUs, atMs: this.#readAtMs };
    this.#cores = parseCores(this.#stat.read());
    this.#usageUs = this.#cgroup.cpuUsageUs();
    this.#readAtMs = nowMs;
    if (before.cores.size === 0) return undefined;

    const percents = this.#allowed().map((core) =>
      busyPercent(before.cores.get(core), this.#cores.get(core)!),
    );
    const quotaCores = this.#cgroup.cpuQuotaCores();
    if (quotaCores >= percents.length) return percents;
    if (before.usageUs === undefined || this.#usageUs === undefined || nowMs <= before.atMs) return undefined;
    const usedCores = (this.#usageUs - before.usageUs) / 1_000 / (nowMs - before.atMs);
    return Array.from({ length: Math.max(1, Math.floor(quotaCores)) }, () => percent(usedCores / quotaCores));
  }

  close(): void {
    this.#stat.close();
  }

  #allowed(): number[] {
    const allowed = this.#cgroup.allowedCores();
    const cores = [...this.#cores.keys()];
    return allowed === undefined ? cores : cores.filter((core) => allowed.has(core));
  }
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

function busyPercent(before: CoreTimes | undefined, after: CoreTimes): number {
  if (before === undefined || after.total <= before.total) return 0;
  return percent((after.busy - before.busy) / (after.total - before.total));
}

/** The kernel's counters are not exact and may run backwards a little. */
function percent(ratio: number): number {
  return Math.min(100, Math.max(0, ratio * 100));
}
