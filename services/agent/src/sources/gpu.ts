import { type ChildProcess, execFile } from 'node:child_process';
import type { GpuStats } from '@usher/domain';
import type { Clock, Log } from '@usher/ports';

const FIELDS = ['utilization.gpu', 'memory.used', 'memory.total', 'temperature.gpu', 'power.draw'];
const QUERY = [`--query-gpu=${FIELDS.join(',')}`, '--format=csv,noheader,nounits'];
/** Each run is a process that opens the driver anew, dear compared with all else the agent does. */
export const GPU_SAMPLE_EVERY_MS = 5_000;
/** Whether there is a driver by now is asked more rarely. */
const RETRY_AFTER_MS = 60_000;
/** A driver that hangs takes its tool with it. */
const RUN_TIMEOUT_MS = 10_000;
const MIB_BYTES = 1_048_576;

/** NVIDIA GPUs, asked through `nvidia-smi`; where that is missing or fails there are none. */
export class GpuSource {
  readonly #command: string;
  readonly #clock: Clock;
  readonly #log: Log;
  #running: { readonly child: ChildProcess; readonly ended: Promise<void> } | undefined;
  #closed = false;
  #notBeforeMs = 0;
  #absent = false;

  constructor(command: string, clock: Clock, log: Log) {
    this.#command = command;
    this.#clock = clock;
    this.#log = log;
  }

  /** Starts a run if it is time for one and hands over what it found; an empty list is that there are no GPUs. */
  ask(found: (gpus: readonly GpuStats[]) => void): void {
    const nowMs = this.#clock.now();
    if (this.#running !== undefined || nowMs < this.#notBeforeMs || this.#closed) return;
    this.#notBeforeMs = nowMs + GPU_SAMPLE_EVERY_MS;
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const options = { timeout: RUN_TIMEOUT_MS, killSignal: 'SIGKILL' } as const;
    const child = execFile(this.#command, QUERY, options, (error, output) => {
      this.#running = undefined;
      resolve();
      if (this.#closed) return;
      if (error !== null) this.#none(error);
      else this.#absent = false;
      found(error === null ? parseGpus(output) : []);
    });
    this.#running = { child, ended };
  }

  /** Resolves when no run is left. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#running?.child.kill('SIGKILL');
    await this.#running?.ended;
  }

  #none(error: Error): void {
    this.#notBeforeMs = this.#clock.now() + RETRY_AFTER_MS;
    if (!this.#absent) this.#log.info('agent: reporting no GPUs', { cause: error.message.trim() });
    this.#absent = true;
  }
}

/** One GPU a line, values in the order of `FIELDS`; what a GPU does not tell (`[N/A]`, `[Not Supported]`) counts as 0. */
function parseGpus(csv: string): GpuStats[] {
  const lines = csv.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => {
    const [percent = 0, usedMib = 0, totalMib = 0, temperatureC = 0, powerW = 0] = line.split(',').map(known);
    return {
      percent: Math.min(100, Math.max(0, percent)),
      memoryUsedBytes: usedMib * MIB_BYTES,
      memoryTotalBytes: totalMib * MIB_BYTES,
      temperatureC,
      powerW: Math.max(0, powerW),
    };
  });
}

function known(value: string): number {
  const number = Number(value);
  return Number.isFinite(number) ? number : 0;
}
