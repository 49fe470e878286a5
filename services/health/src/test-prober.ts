import type { ProbeTarget } from './probe-plan.ts';
import type { ProbeResult, Prober } from './prober.ts';

/** Why a probe of a dead backend fails. */
export const DOWN = 'connection refused';

/** A prober whose answers the test decides, by port. */
export class ScriptedProber implements Prober {
  readonly asked: number[] = [];
  /** Latency of a good answer in milliseconds, or why there is none; 1 ms where nothing is said. */
  readonly answers = new Map<number, number | string>();
  /** While set, probes stay without an answer until `release`. */
  held = false;
  /** Probes without an answer by port, and the most there ever were. */
  readonly inFlight = new Map<number, number>();
  inFlightMax = 0;
  readonly #waiting: (() => void)[] = [];

  async probe(target: ProbeTarget, _timeoutMs: number, signal: AbortSignal): Promise<ProbeResult> {
    const { port } = target;
    this.asked.push(port);
    this.#count(port, 1);
    if (this.held) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        signal.addEventListener('abort', () => resolve());
      });
    }
    this.#count(port, -1);
    const answer = this.answers.get(port) ?? 1;
    if (typeof answer === 'number') return { ok: true, latencyMs: answer };
    return { ok: false, timedOut: answer === 'timeout', cause: answer };
  }

  release(): void {
    this.held = false;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** How often a port was asked since the last call. */
  take(port: number): number {
    const count = this.asked.filter((asked) => asked === port).length;
    this.asked.splice(0, this.asked.length, ...this.asked.filter((asked) => asked !== port));
    return count;
  }

  #count(port: number, change: 1 | -1): void {
    const count = (this.inFlight.get(port) ?? 0) + change;
    this.inFlight.set(port, count);
    this.inFlightMax = Math.max(this.inFlightMax, count);
  }
}
