import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const MIB = 1_048_576;

/** A recorded machine: a directory with the files of `/proc` and `/sys` that the agent reads, which a test rewrites. */
export class RecordedMachine {
  readonly root: string;
  readonly nvidiaSmi: string;
  readonly #busy: number[];
  readonly #idle: number[];

  /** All cores idle, 12,000 of 16,000 MiB of memory available, no container. */
  constructor(root: string, cores: number) {
    this.root = root;
    this.nvidiaSmi = join(root, 'nvidia-smi');
    this.#busy = Array.from({ length: cores }, () => 1_000);
    this.#idle = Array.from({ length: cores }, () => 5_000);
    this.spend([]);
    this.memory(16_000, 12_000);
  }

  /** Each core spends `ticks` (100 a second) since the last time: so many busy, the rest idle. */
  spend(busyTicks: readonly number[], ticks = 100): void {
    const lines = this.#busy.map((_, core) => {
      const busy = busyTicks[core] ?? 0;
      this.#busy[core]! += busy;
      this.#idle[core]! += busyTicks.length === 0 ? 0 : ticks - busy;
      // user nice system idle iowait irq softirq steal guest guest_nice
      const user = this.#busy[core]! - 30;
      return `cpu${core} ${user} 10 10 ${this.#idle[core]! - 7} 7 0 5 5 ${user} 0`;
    });
    this.write(
      'proc/stat',
      ['cpu  1 2 3 4 5 6 7 8 9 0', ...lines, 'intr 123 0 7', 'ctxt 5', 'cpu9 not a core', ''].join('\n'),
    );
  }

  memory(totalMib: number, availableMib: number): void {
    this.write(
      'proc/meminfo',
      `MemTotal:       ${totalMib * 1_024} kB\nMemFree:  1 kB\nMemAvailable:   ${availableMib * 1_024} kB\nBuffers: 1 kB\n`,
    );
  }

  /** A file of the container's group; a name such as `a/b/cpu.max` is one of a group in it. */
  cgroup(name: string, content: string): void {
    this.write(join('sys/fs/cgroup', name), `${content}\n`);
  }

  /** A CPU quota of so many hundredths of a core, and the milliseconds of CPU time used so far. */
  cpuCgroup(group: string, hundredths: number | 'max', usedMs: number): void {
    const quota = hundredths === 'max' ? 'max' : hundredths * 1_000;
    this.cgroup(join(group, 'cpu.max'), `${quota} 100000`);
    this.cgroup(join(group, 'cpu.stat'), `usage_usec ${usedMs * 1_000}\nuser_usec 1`);
  }

  memoryCgroup(group: string, limit: string, currentMib: number, inactiveFileMib: number): void {
    this.cgroup(join(group, 'memory.max'), limit);
    this.cgroup(join(group, 'memory.current'), String(currentMib * MIB));
    const stat = `anon 5\nfile 9\ninactive_file ${inactiveFileMib * MIB}\nactive_file 3`;
    this.cgroup(join(group, 'memory.stat'), stat);
  }

  /** The group that the agent runs in, as the kernel tells it, and the one that is seen at the mount. */
  runIn(group: string, shows = '/'): void {
    this.write('proc/self/cgroup', `1:name=systemd:/elsewhere\n0::${group}\n`);
    const mounts = [
      '30 23 8:1 / / rw,nosuid - ext4 /dev/sda1 rw',
      `31 30 0:31 ${shows} /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw`,
    ];
    this.write('proc/self/mountinfo', `${mounts.join('\n')}\n`);
  }

  /** Lets a shell script stand in for the GPU driver's tool. */
  gpuTool(script: string): void {
    this.write('nvidia-smi', `#!/bin/sh\n${script}\n`);
    chmodSync(this.nvidiaSmi, 0o755);
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  remove(path: string): void {
    rmSync(join(this.root, path), { recursive: true });
  }

  write(path: string, content: string): void {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
}
