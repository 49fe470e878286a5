import { join } from 'node:path';
import type { Cgroup } from './cgroup.ts';
import { SmallFile } from './small-file.ts';

export interface Usage {
  readonly usedBytes: number;
  readonly totalBytes: number;
}

/** Memory of the machine that programs cannot get any more, or of the container when it has a limit. */
export class MemorySource {
  readonly #meminfo: SmallFile;
  readonly #cgroup: Cgroup;

  constructor(root: string, cgroup: Cgroup) {
    this.#meminfo = new SmallFile(join(root, 'proc/meminfo'));
    this.#cgroup = cgroup;
  }

  read(): Usage {
    const text = this.#meminfo.read();
    const machineBytes = bytesOf(text, 'MemTotal:');
    const limits = this.#cgroup.memoryLimits().filter(({ limitBytes }) => limitBytes < machineBytes);
    if (limits.length === 0) {
      return {
        usedBytes: Math.max(0, machineBytes - bytesOf(text, 'MemAvailable:')),
        totalBytes: machineBytes,
      };
    }
    // Of several limits, one in the other, the one with the least left says what can still be had.
    const totalBytes = Math.min(...limits.map(({ limitBytes }) => limitBytes));
    const freeBytes = Math.min(...limits.map(({ limitBytes, usedBytes }) => limitBytes - usedBytes));
    return { usedBytes: totalBytes - Math.min(totalBytes, Math.max(0, freeBytes)), totalBytes };
  }

  close(): void {
    this.#meminfo.close();
  }
}

/** Value of a line like `MemTotal:  16316412 kB`. */
function bytesOf(meminfo: string, name: string): number {
  const at = meminfo.indexOf(name);
  return at < 0 ? 0 : Number.parseInt(meminfo.slice(at + name.length), 10) * 1_024;
}
