import type { BackendSlot } from '../routing-table.ts';

/** What happened to one backend in a worker since the last such report. */
export interface BackendObservation {
  readonly backend: string;
  readonly requests: number;
  readonly failures: number;
  readonly latencySumMs: number;
  /** Change of the number of requests under way. */
  readonly inFlight: number;
}

/** Reports the differences of a slot's counters, so that a report that is never sent loses nothing. */
export class SlotObserver {
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
    const { id, requests, failures, latencySumMs, inFlight } = this.slot;
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
