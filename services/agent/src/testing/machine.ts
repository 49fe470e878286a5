import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
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

  cgroup(name: string, content: string): void {
    this.write(join('sys/fs/cgroup', name), `${content}\n`);
  }

  memoryCgroup(limit: string, currentMib: number, inactiveFileMib: number): void {
    this.cgroup('memory.max', limit);
    this.cgroup('memory.current', String(currentMib * MIB));
    this.cgroup('memory.stat', `anon 5\nfile 9\ninactive_file ${inactiveFileMib * MIB}\nactive_file 3`);
  }

  /** Lets a shell script stand in for the GPU driver's tool. */
  gpuTool(script: string): void {
    this.write('nvidia-smi', `#!/bin/sh\n${script}\n`);
    chmodSync(this.nvidiaSmi, 0o755);
  }

  write(path: string, content: string): void {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
}
