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
    const totalBytes = bytesOf(text, 'MemTotal:');
    const limitBytes = this.#cgroup.memoryLimitBytes();
    if (limitBytes >= totalBytes) {
      return { usedBytes: Math.max(0, totalBytes - bytesOf(text, 'MemAvailable:')), totalBytes };
    }
    return { usedBytes: Math.min(limitBytes, this.#cgroup.memoryUsedBytes()), totalBytes: limitBytes };
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
