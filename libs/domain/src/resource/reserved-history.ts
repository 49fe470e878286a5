import type { Resources } from '../backend.ts';
import { DIMENSIONS, NO_RESOURCES } from './tier.ts';

/** Over how long what agents report is a mean. */
export const REPORT_WINDOW_MS = 15_000;

/** More instants of the past are not kept; the older half of them is then thinned out. */
const POINTS_MAX = 256;

/** Reserved amounts times milliseconds, summed from the start up to an instant; between two of them it grows evenly. */
interface Point {
  readonly atMs: number;
  readonly area: Resources;
}

/**
 * What has been reserved on one backend in the time that a report may be about. A report is a mean over a window, so it
 * contains what was reserved by the mean over the same window: an allocation made after the window not at all, one that
 * lasted through it wholly. What is reserved beyond that is still to come; where less is, part of what the report
 * shows has ended since. However many allocations come and go, this takes the same little memory.
 */
export class ReservedHistory {
  readonly #windowMs: number;
  #reserved: Resources = NO_RESOURCES;
  /** Oldest first; the newest is the latest change. */
  #points: Point[];

  /** `windowMs` is the time over which reports are means. */
  constructor(windowMs: number, nowMs: number) {
    this.#windowMs = Math.max(1, windowMs);
    this.#points = [{ atMs: nowMs, area: NO_RESOURCES }];
  }

  get reserved(): Resources {
    return this.#reserved;
  }

  /** An allocation begins. A time before the latest change counts as that. */
  add(resources: Resources, nowMs: number): void {
    this.#mark(nowMs);
    this.#reserved = plus(this.#reserved, resources, 1);
  }

  /** An allocation ends. */
  remove(resources: Resources, nowMs: number): void {
    this.#mark(nowMs);
    this.#reserved = plus(this.#reserved, resources, -1);
  }

  /** What is reserved now and not in a report of that time; negative for what has ended since. */
  unreported(reportAtMs: number): Resources {
    const inside = plus(this.#areaAt(reportAtMs), this.#areaAt(reportAtMs - this.#windowMs), -1);
    const missing = { ...NO_RESOURCES };
    for (const dimension of DIMENSIONS) {
      // Whole units: what rounding leaves of nothing would count as the beginning of something. Adding 0 turns -0 into 0.
      missing[dimension] = Math.round(this.#reserved[dimension] - inside[dimension] / this.#windowMs) + 0;
    }
    return missing;
  }

  #mark(nowMs: number): void {
    if (nowMs <= this.#points.at(-1)!.atMs) return;
    this.#points.push({ atMs: nowMs, area: this.#areaAt(nowMs) });
    if (this.#points.length <= POINTS_MAX) return;
    const needed = this.#points.findLastIndex(({ atMs }) => atMs <= nowMs - 2 * this.#windowMs);
    const kept = this.#points.slice(Math.max(0, needed));
    this.#points = kept.filter((_, index) => index >= kept.length / 2 || index % 2 === 0);
  }

  #areaAt(atMs: number): Resources {
    const index = this.#points.findLastIndex((point) => point.atMs <= atMs);
    const before = this.#points[index];
    // Nothing was reserved before the start.
    if (before === undefined) return this.#points[0]!.area;
    const after = this.#points[index + 1];
    if (after === undefined) return plus(before.area, this.#reserved, atMs - before.atMs);
    const part = (atMs - before.atMs) / (after.atMs - before.atMs);
    return plus(before.area, plus(after.area, before.area, -1), part);
  }
}

function plus(sum: Resources, resources: Resources, times: number): Resources {
  const result = { ...sum };
  for (const dimension of DIMENSIONS) result[dimension] += times * resources[dimension];
  return result;
}
