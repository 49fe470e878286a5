import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export const MIB = 1024 * 1024;

const SAMPLE_MS = 50;
const QUIET_SAMPLES = 60;

/** Resident memory of a process. */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}

/** How many files and sockets a process has open. */
function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** The fewest within three seconds: probes and the like open files for a moment. */
export async function quietFiles(pid: number): Promise<number> {
  let fewest = Infinity;
  for (let sample = 0; sample < QUIET_SAMPLES; sample++) {
    fewest = Math.min(fewest, openFiles(pid));
    await sleep(SAMPLE_MS);
  }
  return fewest;
}

/** Looks at the memory of a process again and again until it is stopped, and knows the most. */
export class MemoryPeak {
  bytes = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(pid: number) {
    const look = (): void => {
      this.bytes = Math.max(this.bytes, residentBytes(pid));
    };
    look();
    this.#timer = setInterval(look, SAMPLE_MS);
  }

  stop(): number {
    clearInterval(this.#timer);
    return this.bytes;
  }
}
