import type { Health } from '@usher/domain';
import type { Clock, Random, Timer } from '@usher/ports';
import { NO_PROBES, nextCounts, type ProbeCounts, probeIntervalMs } from './health-rules.ts';
import { probeAll } from './probe-all.ts';
import type { ProbePlan } from './probe-plan.ts';
import type { ProbeSlots } from './probe-slots.ts';
import type { ProbeResult, Prober } from './prober.ts';

/** Upper bounds of the histogram of probe durations, in seconds. */
export const DURATION_BOUNDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];

export interface MonitorPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly prober: Prober;
  readonly slots: ProbeSlots;
  /** What the log says about a backend. */
  readonly health: (backend: string) => Health;
  /** Whether it is certain that this process is the one to probe. */
  readonly sure: () => boolean;
  /** Nobody of a pool is healthy. */
  readonly alone: (pool: string) => boolean;
  /** Called after each probe, when `counts` and `tally` stand. */
  readonly probed: (monitor: BackendMonitor, result: ProbeResult) => void;
}

/** How long a probe waits at a time for the answer whose turn it is. */
const UNSURE_MS = 200;

/** What a monitor did since it began, for metrics. */
export interface ProbeTally {
  ok: number;
  failed: number;
  timedOut: number;
  /** Successful probes by duration: one cell for each of `DURATION_BOUNDS`, one for those above. */
  readonly durations: number[];
  durationSumS: number;
}

/** Probes one backend again and again, all of its endpoints at a time. */
export class BackendMonitor {
  readonly tally: ProbeTally = {
    ok: 0,
    failed: 0,
    timedOut: 0,
    durations: Array.from({ length: DURATION_BOUNDS.length + 1 }, () => 0),
    durationSumS: 0,
  };
  readonly #ports: MonitorPorts;
  #plan: ProbePlan;
  #counts = NO_PROBES;
  #lastFailure = '';
  #timer: Timer | undefined;
  #leaveQueue = () => {};
  #current: AbortController | undefined;

  constructor(ports: MonitorPorts, plan: ProbePlan) {
    this.#ports = ports;
    this.#plan = plan;
    this.#begin();
  }

  get plan(): ProbePlan {
    return this.#plan;
  }

  get counts(): ProbeCounts {
    return this.#counts;
  }

  /** Why the last failed probe failed. */
  get lastFailure(): string {
    return this.#lastFailure;
  }

  /** Starts anew by another plan: what was found by the old one is void, a probe under way is given up. */
  replan(plan: ProbePlan): void {
    this.stop();
    this.#plan = plan;
    this.#counts = NO_PROBES;
    this.#begin();
  }

  /** Makes what was found so far void; probing goes on as planned. */
  forget(): void {
    this.#counts = NO_PROBES;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#leaveQueue();
    this.#current?.abort();
    this.#current = undefined;
  }

  /** A backend that nobody knows is asked at once; the others' first probes are spread over the interval. */
  #begin(): void {
    const { backend, timing } = this.#plan;
    if (this.#ports.health(backend) === 'unknown') this.#enqueue();
    else this.#wait(this.#ports.random.next() * timing.intervalMs);
  }

  #wait(ms: number): void {
    this.#timer = this.#ports.clock.after(ms, () => this.#enqueue());
  }

  #enqueue(): void {
    if (!this.#ports.sure()) {
      this.#wait(UNSURE_MS);
      return;
    }
    this.#leaveQueue = this.#ports.slots.take(() => void this.#probe());
  }

  async #probe(): Promise<void> {
    const { clock, prober, slots } = this.#ports;
    const current = new AbortController();
    this.#current = current;
    const startedMs = clock.steady();
    const { targets, timing: limits } = this.#plan;
    const result = await probeAll(prober, targets, limits.timeoutMs, current.signal);
    slots.release();
    if (this.#current !== current) return;
    this.#current = undefined;
    this.#note(result);
    this.#ports.probed(this, result);
    const { backend, pool, timing } = this.#plan;
    const health = this.#ports.health(backend);
    const alone = health === 'unhealthy' && this.#ports.alone(pool);
    const intervalMs = probeIntervalMs(health, this.#counts, timing, alone, this.#ports.random.next());
    this.#wait(Math.max(0, intervalMs - (clock.steady() - startedMs)));
  }

  #note(result: ProbeResult): void {
    this.#counts = nextCounts(this.#counts, result.ok);
    if (!result.ok) {
      this.#lastFailure = result.cause;
      if (result.timedOut) this.tally.timedOut += 1;
      else this.tally.failed += 1;
      return;
    }
    const seconds = result.latencyMs / 1000;
    const cell = DURATION_BOUNDS.findIndex((bound) => seconds <= bound);
    this.tally.ok += 1;
    this.tally.durationSumS += seconds;
    this.tally.durations[cell === -1 ? DURATION_BOUNDS.length : cell]! += 1;
  }
}
