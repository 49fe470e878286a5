import { join } from 'node:path';
import { cgroupDirectories } from './cgroup-directories.ts';
import { OptionalFile } from './small-file.ts';

/** A limit on CPU time somewhere above the backend, and what everything below it has used. */
export interface CpuLimit {
  /** Names the group while the agent runs. */
  readonly level: number;
  /** How many cores' time may be used. */
  readonly cores: number;
  /** Used so far. */
  readonly usedUs: number;
}

/** A limit on memory, and what could not be taken back at once from what is below it. */
export interface MemoryLimit {
  readonly limitBytes: number;
  readonly usedBytes: number;
}

/**
 * The limits of cgroup v2 that hold for the agent and the backend beside it: those of their group and of every group
 * that it is in. On a machine without any container there are none.
 */
export class Cgroup {
  readonly #levels: readonly Level[];

  /** `group` as in `cgroupDirectories`. */
  constructor(root: string, group?: string) {
    this.#levels = cgroupDirectories(root, group).map((directory) => new Level(directory));
  }

  cpuLimits(): readonly CpuLimit[] {
    return this.#levels.flatMap((level, index) => {
      const cores = level.quotaCores();
      const usedUs = cores === undefined ? undefined : fieldOf(level.cpuStat.read(), 'usage_usec');
      return cores === undefined || usedUs === undefined ? [] : [{ level: index, cores, usedUs }];
    });
  }

  memoryLimits(): readonly MemoryLimit[] {
    return this.#levels.flatMap((level) => {
      const limitBytes = Number(level.memoryMax.read() || 'max');
      return Number.isNaN(limitBytes) ? [] : [{ limitBytes, usedBytes: level.memoryUsedBytes() }];
    });
  }

  /** Numbers of the cores that may be used; undefined without a limit. What a group may use is a part of what those above it may. */
  allowedCores(): ReadonlySet<number> | undefined {
    for (const { cpuset } of this.#levels) {
      const list = cpuset.read().trim();
      if (list !== '') return parseCoreList(list);
    }
    return undefined;
  }

  close(): void {
    for (const level of this.#levels) level.close();
  }
}

/** The files of one group. */
class Level {
  readonly cpuset: OptionalFile;
  readonly cpuStat: OptionalFile;
  readonly memoryMax: OptionalFile;
  readonly #cpuMax: OptionalFile;
  readonly #memoryCurrent: OptionalFile;
  readonly #memoryStat: OptionalFile;

  constructor(directory: string) {
    const file = (name: string): OptionalFile => new OptionalFile(join(directory, name));
    this.cpuset = file('cpuset.cpus.effective');
    this.cpuStat = file('cpu.stat');
    this.memoryMax = file('memory.max');
    this.#cpuMax = file('cpu.max');
    this.#memoryCurrent = file('memory.current');
    this.#memoryStat = file('memory.stat');
  }

  /** Reads `quota period` or `max period`, both in microseconds. */
  quotaCores(): number | undefined {
    const [quota, period] = this.#cpuMax.read().trim().split(' ');
    const cores = Number(quota) / Number(period);
    return cores > 0 ? cores : undefined;
  }

  /** Files that nobody has touched lately can be dropped at any time, so they do not count as used. */
  memoryUsedBytes(): number {
    const current = Number(this.#memoryCurrent.read());
    const inactive = fieldOf(this.#memoryStat.read(), 'inactive_file') ?? 0;
    return Math.max(0, current - inactive);
  }

  close(): void {
    const own = [this.#cpuMax, this.#memoryCurrent, this.#memoryStat];
    for (const file of [...own, this.cpuset, this.cpuStat, this.memoryMax]) file.close();
  }
}

/** Value of the line `name value`. */
function fieldOf(text: string, name: string): number | undefined {
  const start = text.startsWith(`${name} `) ? 0 : text.indexOf(`\n${name} `) + 1;
  if (start === 0 && !text.startsWith(`${name} `)) return undefined;
  return Number.parseInt(text.slice(start + name.length + 1), 10);
}

/** Reads the kernel's list format, e.g. `0-3,8`. */
function parseCoreList(list: string): ReadonlySet<number> {
  const cores = new Set<number>();
  for (const range of list.split(',')) {
    const [first, last = first] = range.split('-').map(Number);
    for (let core = first!; core <= last!; core++) cores.add(core);
  }
  return cores;
}
