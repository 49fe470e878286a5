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

  constructor(settings: WorkerOverload, admission: Admission, post: (news: PressureNews) => void) {
    this.#settings = settings;
    this.#admission = admission;
    this.#post = post;
  }

  /** To be called a few times a second. `lateMs`: how late that is. */
  look(nowMs: number, lateMs: number): void {
    const before = this.#admission.level;
    const memory = this.#memory();
    const sample = { nowMs, memory, loopDelayMs: Math.max(0, lateMs) };
    const pressure = nextPressure(this.#pressure, sample, this.#settings);
    this.#pressure = pressure;
    const level = pressureLevel(pressure);
    this.#admission.level = level;
    this.#admission.memoryLevel = pressure.memory.level;
    if (level === before) return;
    const cause = pressure.memory.level >= pressure.delay.level ? 'memory' : 'event_loop';
    this.#post({ level, cause, memory, delayMs: pressure.delayMs });
  }

  /** Share of what the process may take, or of what V8 allows this thread, whichever is nearer to its end. */
  #memory(): number {
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
    return Math.max(process.memoryUsage.rss() / this.#settings.memoryBytes, used / limit);
  }
}
