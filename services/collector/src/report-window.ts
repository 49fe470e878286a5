import type { BackendStats } from '@usher/domain';
import type { AgentReport } from '@usher/events';
import type { Clock } from '@usher/ports';

const INTERVAL_DEFAULT_MS = 1_000;
const STALE_INTERVALS = 3;
const STALE_AFTER_MIN_MS = 5_000;
/** How many of the newest gaps between reports the interval is learned from. */
const GAPS_MAX = 8;

/** The newest reports of one backend, by the times at which they arrived. */
export class ReportWindow {
  /** Stamped with the time of arrival: agents' clocks are not to be trusted. */
  latest: BackendStats | undefined;
  /** When that was, by the steady clock. */
  #arrivedMs = Number.NEGATIVE_INFINITY;
  readonly #gapsMs: number[] = [];
  /** As far as it was told. */
  #everyMs = INTERVAL_DEFAULT_MS;
  #saidStaleAfterMs: number | undefined;

  take(
    { everyMs = INTERVAL_DEFAULT_MS, staleAfterMs, ...stats }: AgentReport,
    clock: Pick<Clock, 'now' | 'steady'>,
  ): void {
    const arrivedMs = clock.steady();
    this.#everyMs = everyMs;
    this.#saidStaleAfterMs = staleAfterMs;
    if (this.latest !== undefined) {
      this.#gapsMs.push(arrivedMs - this.#arrivedMs);
      if (this.#gapsMs.length > GAPS_MAX) this.#gapsMs.shift();
    }
    this.#arrivedMs = arrivedMs;
    this.latest = { ...stats, atMs: clock.now() };
  }

  /** For how long nothing has been heard; for ever before the first report. */
  silentMs(steadyMs: number): number {
    return steadyMs - this.#arrivedMs;
  }

  /**
   * Silence of this length means that the backend's numbers are not to be relied on. Where a report says it, that holds to the letter:
   * longer gaps before it do not lengthen what somebody was promised.
   */
  get staleAfterMs(): number {
    if (this.#saidStaleAfterMs !== undefined) return this.#saidStaleAfterMs;
    return Math.max(STALE_AFTER_MIN_MS, STALE_INTERVALS * this.#intervalMs());
  }

  /** What it says, or the median where that is more: a report that came late, or a pause, does not change what is expected. */
  #intervalMs(): number {
    const sorted = this.#gapsMs.toSorted((a, b) => a - b);
    return Math.max(this.#everyMs, sorted[Math.floor(sorted.length / 2)] ?? 0);
  }
}
