import type { BackendStats, GpuStats } from '@usher/domain';
import { ID_PATTERN } from '@usher/events';
import type { Clock, Log, MessageBus, Random, Service } from '@usher/ports';
import { BusUplink } from './bus-uplink.ts';
import { Delivery } from './delivery.ts';
import type { HttpTarget } from './http-link.ts';
import { HttpUplink } from './http-uplink.ts';
import { MeanWindow } from './mean-window.ts';
import { Cgroup } from './sources/cgroup.ts';
import { CpuSource } from './sources/cpu.ts';
import { DiskSource } from './sources/disk.ts';
import { GpuSource } from './sources/gpu.ts';
import { MemorySource } from './sources/memory.ts';
import type { Registration } from './uplink.ts';

const SAMPLE_EVERY_MS = 1_000;
/** What is reported is the mean over these; of disks, which move slowly, the newest value. */
const WINDOW_SAMPLES = 15;

/** Where the numbers come from; the defaults are the machine's own. */
export interface AgentSources {
  /** Directory that contains `proc` and `sys`. Default `/`. */
  readonly root?: string | undefined;
  /** A path on the file system to report. Default `/`. */
  readonly disk?: string | undefined;
  /** The cgroup whose limits count, as in `/system.slice/web.service`. Default the agent's own. */
  readonly cgroup?: string | undefined;
  /** Default `nvidia-smi`, by the search path. */
  readonly nvidiaSmi?: string | undefined;
}

export interface AgentOptions {
  /** Id of the backend that this machine serves. */
  readonly id: string;
  readonly target: { readonly bus: MessageBus } | HttpTarget;
  /** Registers the backend, and takes it away when the agent stops. Absent = it is declared elsewhere. */
  readonly registration?: Registration | undefined;
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
  readonly #delivery: Delivery;
  readonly #cgroup: Cgroup;
  readonly #cpu: CpuSource;
  readonly #memory: MemorySource;
  readonly #disk: DiskSource;
  readonly #gpus: GpuSource;
  /** Times that each core was busy, then times that each could have been: the mean share is that of the sums. */
  readonly #cores = new MeanWindow(WINDOW_SAMPLES);
  readonly #memoryUsed = new MeanWindow(WINDOW_SAMPLES);
  readonly #gpuWindow = new MeanWindow(WINDOW_SAMPLES);
  readonly #timer: { cancel(): void };
  #gpuTotals: readonly number[] = [];
  #stopped: Promise<void> | undefined;

  constructor({ id, target, registration, clock, random, log, sources = {} }: AgentOptions) {
    const root = sources.root ?? '/';
    this.#clock = clock;
    const uplink = 'bus' in target ? new BusUplink(target.bus, id) : new HttpUplink(target, id);
    this.#delivery = new Delivery({ uplink, registration, clock, random, log });
    this.#cgroup = new Cgroup(root, sources.cgroup);
    this.#cpu = new CpuSource(root, this.#cgroup);
    this.#memory = new MemorySource(root, this.#cgroup);
    this.#disk = new DiskSource(sources.disk ?? '/', log);
    this.#gpus = new GpuSource(sources.nvidiaSmi ?? 'nvidia-smi', { clock, log }, (gpus) =>
      this.#takeGpus(gpus),
    );
    this.#sample();
    this.#timer = clock.every(SAMPLE_EVERY_MS, () => this.#sample());
  }

  fault(): string | undefined {
    return this.#delivery.fault;
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#end();
    return this.#stopped;
  }

  async #end(): Promise<void> {
    this.#timer.cancel();
    this.#gpus.close();
    await this.#delivery.stop();
    for (const source of [this.#cpu, this.#memory, this.#cgroup]) source.close();
  }

  #sample(): void {
    this.#disk.ask();
    this.#gpus.tick();
    const times = this.#cpu.read(this.#clock.steady());
    if (times === undefined) return;
    const memory = this.#memory.read();
    const disk = this.#disk.read();
    this.#cores.add([...times.busyMs, ...times.totalMs]);
    this.#memoryUsed.add([memory.usedBytes]);
    const [memoryUsed = 0] = this.#memoryUsed.means();
    const stats: BackendStats = {
      atMs: this.#clock.now(),
      coresPercent: this.#corePercents(),
      memoryUsedBytes: Math.round(memoryUsed),
      memoryTotalBytes: memory.totalBytes,
      diskUsedBytes: disk.usedBytes,
      diskTotalBytes: disk.totalBytes,
      gpus: this.#gpuMeans(),
    };
    this.#delivery.offer(JSON.stringify(stats));
  }

  #corePercents(): number[] {
    const means = this.#cores.means();
    const count = means.length / 2;
    return means.slice(0, count).map((busy, core) => {
      const total = means[count + core] ?? 0;
      return total === 0 ? 0 : rounded((busy / total) * 100);
    });
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
