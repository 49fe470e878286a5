import type { BreakerEvidence } from '@usher/domain';
import type { AttemptOutcome, BackendSlot } from '../routing-table.ts';
import type { ConnectCause } from '../wire/connect-cause.ts';

/** A client that leaves says nothing about the backend; all other outcomes but `ok` are its fault. */
const isFault = (outcome: AttemptOutcome): boolean => outcome !== 'ok' && outcome !== 'client_closed';

/** What an outcome says to the backend's breaker. */
export function evidenceOf(outcome: AttemptOutcome): BreakerEvidence {
  if (outcome === 'connect_failed' || outcome === 'connect_timeout') return 'unreachable';
  return isFault(outcome) ? 'bad' : 'good';
}

/** What happened to one backend in a worker since the last such report. */
export interface BackendObservation {
  readonly backend: string;
  readonly requests: number;
  readonly failures: number;
  readonly latencySumMs: number;
  /** Change of the number of requests under way. */
  readonly inFlight: number;
}

export interface ConnectFailureCount {
  readonly backend: string;
  readonly cause: ConnectCause;
  readonly count: number;
}

/** Reports the differences of a slot's counters, so that a report that is never sent loses nothing. */
class SlotObserver {
  readonly slot: BackendSlot;
  #requests = 0;
  #failures = 0;
  #latencySumMs = 0;
  #inFlight = 0;

  constructor(slot: BackendSlot) {
    this.slot = slot;
  }

  /** Undefined when nothing changed. */
  take(): BackendObservation | undefined {
    const { id, requests, failures, latencySumMs, own: inFlight } = this.slot;
    if (requests === this.#requests && inFlight === this.#inFlight) return undefined;
    const observation = {
      backend: id,
      requests: requests - this.#requests,
      failures: failures - this.#failures,
      latencySumMs: latencySumMs - this.#latencySumMs,
      inFlight: inFlight - this.#inFlight,
    };
    this.#requests = requests;
    this.#failures = failures;
    this.#latencySumMs = latencySumMs;
    this.#inFlight = inFlight;
    return observation;
  }
}

/** All slots of a worker, also those that are chosen no more and whose last requests are still to end and to be reported. */
export class Observers {
  readonly #present = new Map<BackendSlot, SlotObserver>();
  readonly #leaving = new Set<SlotObserver>();

  add(slot: BackendSlot): void {
    this.#present.set(slot, new SlotObserver(slot));
  }

  leave(slot: BackendSlot): void {
    const observer = this.#present.get(slot);
    if (observer === undefined) return;
    this.#present.delete(slot);
    this.#leaving.add(observer);
  }

  /** What happened since the last call, for those backends to which anything did. */
  take(): BackendObservation[] {
    const observations: BackendObservation[] = [];
    for (const observer of this.#present.values()) {
      const observation = observer.take();
      if (observation !== undefined) observations.push(observation);
    }
    for (const observer of this.#leaving) {
      const observation = observer.take();
      if (observation !== undefined) observations.push(observation);
      else if (observer.slot.own === 0) this.#leaving.delete(observer);
    }
    return observations;
  }

  find(index: number): BackendSlot | undefined {
    for (const slot of this.#present.keys()) if (slot.index === index) return slot;
    for (const { slot } of this.#leaving) if (slot.index === index) return slot;
    return undefined;
  }

  /** How many connections did not come about, by backend and why. */
  connectFailures(): ConnectFailureCount[] {
    const endpoints = [...this.#present.keys()].flatMap((slot) => slot.endpoints);
    return endpoints.flatMap(({ backend, connectFailures }) =>
      Array.from(connectFailures ?? [], ([cause, count]) => ({ backend, cause, count })),
    );
  }
}
