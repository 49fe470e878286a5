import type { BackendStats, GpuStats } from '@usher/domain';
import { ID_PATTERN } from '@usher/events';
import type { Clock, Log, MessageBus, Random, Service } from '@usher/ports';
import { busReporter } from './bus-reporter.ts';
import { HttpReporter } from './http-reporter.ts';
import { MeanWindow } from './mean-window.ts';
import type { Reporter } from './reporter.ts';
import { Cgroup } from './sources/cgroup.ts';
import { CpuSource } from './sources/cpu.ts';
import { DiskSource } from './sources/disk.ts';
import { GPU_SAMPLE_EVERY_MS, GpuSource } from './sources/gpu.ts';
import { MemorySource } from './sources/memory.ts';

const SAMPLE_EVERY_MS = 1_000;
/** What is reported is the mean over this time; of disks, which move slowly, the newest value. */
const WINDOW_MS = 15_000;

/** Where the numbers come from; the defaults are the machine's own. */
export interface AgentSources {
  /** Directory that contains `proc` and `sys`. Default `/`. */
  readonly root?: string | undefined;
  /** A path on the file system to report. Default `/`. */
  readonly disk?: string | undefined;
  /** Default `nvidia-smi`, by the search path. */
  readonly nvidiaSmi?: string | undefined;
}

export interface AgentOptions {
  /** Id of the backend that this machine serves. */
  readonly id: string;
  readonly target:
    | { readonly bus: MessageBus }
    | { readonly url: string; readonly token?: string | undefined };
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly sources?: AgentSources | undefined;
}

/**
 * Reports this machine's CPU, memory, disk and GPUs once a second as `BackendStats`. Throws when the id is not one, the
 * URL is not one of HTTP, or `/proc` cannot be read, as on systems other than Linux.
 */
export function startAgent(options: AgentOptions): Service {
  if (!ID_PATTERN.test(options.id)) throw new Error(`${JSON.stringify(options.id)} is not a backend's id`);
  return new Agent(options);
}

class Agent implements Service {
  readonly name = 'agent';
  readonly #clock: Clock;
  readonly #reporter: Reporter;
  readonly #cgroup: Cgroup;
  readonly #cpu: CpuSource;
  readonly #memory: MemorySource;
  readonly #disk: DiskSource;
  readonly #gpus: GpuSource;
  readonly #cores = new MeanWindow(WINDOW_MS / SAMPLE_EVERY_MS);
  readonly #memoryUsed = new MeanWindow(WINDOW_MS / SAMPLE_EVERY_MS);
  readonly #gpuWindow = new MeanWindow(WINDOW_MS / GPU_SAMPLE_EVERY_MS);
  readonly #timer: { cancel(): void };
  #gpuTotals: readonly number[] = [];
  #stopped: Promise<void> | undefined;

  constructor({ id, target, clock, random, log, sources = {} }: AgentOptions) {
    const root = sources.root ?? '/';
    this.#clock = clock;
    this.#reporter =
      'bus' in target
        ? busReporter(target.bus, id)
        : new HttpReporter({ ...target, backend: id, clock, random, log });
    this.#cgroup = new Cgroup(root);
    this.#cpu = new CpuSource(root, this.#cgroup);
    this.#memory = new MemorySource(root, this.#cgroup);
    this.#disk = new DiskSource(sources.disk ?? '/', log);
    this.#gpus = new GpuSource(sources.nvidiaSmi ?? 'nvidia-smi', clock, log);
    this.#sample();
    this.#timer = clock.every(SAMPLE_EVERY_MS, () => this.#sample());
  }

  fault(): string | undefined {
    return this.#reporter.fault();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#end();
    return this.#stopped;
  }

  async #end(): Promise<void> {
    this.#timer.cancel();
    await this.#reporter.stop();
    await this.#gpus.close();
    for (const source of [this.#cpu, this.#memory, this.#cgroup]) source.close();
  }

  #sample(): void {
    this.#disk.ask();
    this.#gpus.ask((gpus) => this.#takeGpus(gpus));
    const nowMs = this.#clock.now();
    const cores = this.#cpu.read(nowMs);
    if (cores === undefined) return;
    const memory = this.#memory.read();
    const disk = this.#disk.read();
    this.#cores.add(cores);
    this.#memoryUsed.add([memory.usedBytes]);
    const [memoryUsed = 0] = this.#memoryUsed.means();
    const stats: BackendStats = {
      atMs: nowMs,
      coresPercent: this.#cores.means().map(rounded),
      memoryUsedBytes: Math.round(memoryUsed),
      memoryTotalBytes: memory.totalBytes,
      diskUsedBytes: disk.usedBytes,
      diskTotalBytes: disk.totalBytes,
      gpus: this.#gpuMeans(),
    };
    this.#reporter.send(JSON.stringify(stats));
  }

  #takeGpus(gpus: readonly GpuStats[]): void {
    this.#gpuTotals = gpus.map((gpu) => gpu.memoryTotalBytes);
    this.#gpuWindow.add(
      gpus.flatMap((gpu) => [gpu.percent, gpu.memoryUsedBytes, gpu.temperatureC, gpu.powerW]),
    );
  }

  #gpuMeans(): GpuStats[] {
    const means = this.#gpuWindow.means();
    return this.#gpuTotals.map((memoryTotalBytes, gpu) => {
      const [percent = 0, memoryUsed = 0, temperatureC = 0, powerW = 0] = means.slice(gpu * 4, gpu * 4 + 4);
      return {
        percent: rounded(percent),
        memoryUsedBytes: Math.round(memoryUsed),
        memoryTotalBytes,
        temperatureC: rounded(temperatureC),
        powerW: rounded(powerW),
      };
    });
  }
}

/** Two decimals tell more than anyone asks, in few bytes. */
function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
