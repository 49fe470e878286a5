import { getHeapStatistics } from 'node:v8';
import {
  NO_PRESSURE,
  nextPressure,
  type Pressure,
  type PressureSettings,
  pressureLevel,
} from '@usher/domain';
import type { Admission } from '../admission/admission.ts';
import type { PressureNews } from './protocol.ts';

/**
 * Late is a worker that has much to do, and not one that was frozen: what counts of a delay is at most so many times the
 * processor time that the worker had in it.
 */
const DELAY_PER_CPU_MAX = 10;

/** When a worker does without some of the requests. */
export interface WorkerOverload extends PressureSettings {
  /** What the process may take. */
  readonly memoryBytes: number;
}

/** Watches how late a worker is and how much memory is left, and tells its admission and the control thread. */
export class PressureWatch {
  readonly #settings: WorkerOverload;
  readonly #admission: Admission;
  readonly #post: (news: PressureNews) => void;
  #pressure: Pressure = NO_PRESSURE;
  #cpu = process.threadCpuUsage();

  constructor(settings: WorkerOverload, admission: Admission, post: (news: PressureNews) => void) {
    this.#settings = settings;
    this.#admission = admission;
    this.#post = post;
  }

  /** To be called a few times a second. `lateMs`: how late that is. */
  look(nowMs: number, lateMs: number): void {
    const before = this.#admission.level;
    const memory = this.#memory();
    const sample = { nowMs, memory, loopDelayMs: Math.min(Math.max(0, lateMs), this.#busyMs()) };
    const pressure = nextPressure(this.#pressure, sample, this.#settings);
    this.#pressure = pressure;
    const level = pressureLevel(pressure);
    this.#admission.level = level;
    this.#admission.memoryLevel = pressure.memory.level;
    if (level === before) return;
    const cause = pressure.memory.level >= pressure.delay.level ? 'memory' : 'event_loop';
    this.#post({ level, cause, memory, delayMs: pressure.delayMs });
  }

  /** For how long this thread may have been busy since it was asked last. */
  #busyMs(): number {
    const { user, system } = process.threadCpuUsage(this.#cpu);
    this.#cpu = process.threadCpuUsage();
    return ((user + system) / 1000) * DELAY_PER_CPU_MAX;
  }

  /** Share of what the process may take, or of what V8 allows this thread, whichever is nearer to its end. */
  #memory(): number {
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
    return Math.max(process.memoryUsage.rss() / this.#settings.memoryBytes, used / limit);
  }
}
