import { join } from 'node:path';
import { SmallFile } from './small-file.ts';

/**
 * The limits of the container that the agent shares with its backend, from the top of the cgroup v2 mount. On a machine
 * outside any container that is the root cgroup, which has none of the files of limits; then nothing is limited.
 */
export class Cgroup {
  readonly #cpuMax: SmallFile | undefined;
  readonly #cpuStat: SmallFile | undefined;
  readonly #cpuset: SmallFile | undefined;
  readonly #memoryMax: SmallFile | undefined;
  readonly #memoryCurrent: SmallFile | undefined;
  readonly #memoryStat: SmallFile | undefined;

  constructor(root: string) {
    const file = (name: string): SmallFile | undefined =>
      SmallFile.ifPresent(join(root, 'sys/fs/cgroup', name));
    this.#cpuMax = file('cpu.max');
    this.#cpuStat = file('cpu.stat');
    this.#cpuset = file('cpuset.cpus.effective');
    this.#memoryMax = file('memory.max');
    this.#memoryCurrent = file('memory.current');
    this.#memoryStat = file('memory.stat');
  }

  /** How many cores' time may be used; Infinity without a limit. */
  cpuQuotaCores(): number {
    const [quota, period] = (this.#cpuMax?.read() ?? 'max').trim().split(' ');
    const cores = Number(quota) / Number(period);
    return cores > 0 ? cores : Number.POSITIVE_INFINITY;
  }

  /** CPU time used so far, microseconds; undefined when the kernel does not tell. */
  cpuUsageUs(): number | undefined {
    return this.#cpuStat === undefined ? undefined : fieldOf(this.#cpuStat.read(), 'usage_usec');
  }

  /** Numbers of the cores that may be used; undefined without a limit. */
  allowedCores(): ReadonlySet<number> | undefined {
    const list = this.#cpuset?.read().trim() ?? '';
    return list === '' ? undefined : parseCoreList(list);
  }

  /** Infinity without a limit. */
  memoryLimitBytes(): number {
    const limit = Number(this.#memoryMax?.read());
    return limit > 0 ? limit : Number.POSITIVE_INFINITY;
  }

  /** What could not be taken back at once: files that nobody uses any more are left out. */
  memoryUsedBytes(): number {
    const current = Number(this.#memoryCurrent?.read() ?? 0);
    const inactive = fieldOf(this.#memoryStat?.read() ?? '', 'inactive_file') ?? 0;
    return Math.max(0, current - inactive);
  }

  close(): void {
    this.#cpuMax?.close();
    this.#cpuStat?.close();
    this.#cpuset?.close();
    this.#memoryMax?.close();
    this.#memoryCurrent?.close();
    this.#memoryStat?.close();
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
