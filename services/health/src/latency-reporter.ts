import { envelop, eventSubject } from '@usher/events';
import type { ServiceContext } from '@usher/ports';
import { healthSource } from './announcer.ts';
import { averageLatency, worthAnEvent } from './latency-rules.ts';

interface Measured {
  averageMs: number;
  lastEventMs: number;
}

/** Tells the fleet how fast backends answer probes, when that has changed enough to matter. */
export class LatencyReporter {
  readonly #context: ServiceContext;
  readonly #measured = new Map<string, Measured>();

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  /** Takes the latency of a successful probe. */
  note(backend: string, latencyMs: number): void {
    const { fleet, clock } = this.#context;
    const known = this.#measured.get(backend);
    const averageMs = averageLatency(known?.averageMs, latencyMs);
    const measured = { averageMs, lastEventMs: known?.lastEventMs ?? Number.NEGATIVE_INFINITY };
    this.#measured.set(backend, measured);
    const nowMs = clock.steady();
    const knownMs = fleet.state.backends.get(backend)?.latencyMs ?? 0;
    if (!worthAnEvent(averageMs, knownMs, nowMs - measured.lastEventMs)) return;
    if (this.#offer(backend, averageMs)) measured.lastEventMs = nowMs;
  }

  forget(backend: string): void {
    this.#measured.delete(backend);
  }

  /** False when the outbox is full: the next probe tries again, with a newer average. */
  #offer(backend: string, averageMs: number): boolean {
    const { random, outbox, clock } = this.#context;
    // Whole microseconds: more digits mean nothing and are paid for in every copy of the log.
    const latencyMs = Math.round(averageMs * 1000) / 1000;
    const draft = {
      type: 'backend.latency_measured',
      subject: backend,
      data: { backend, latencyMs },
    } as const;
    const context = { source: healthSource(this.#context), timeMs: clock.now(), actor: 'health' };
    // A subject apart from the backend's health: facts in between must not make its decisions conflict.
    return outbox.offer(
      eventSubject('health', `${backend}.latency`),
      envelop([draft], context, () => random.uuid()),
    );
  }
}
