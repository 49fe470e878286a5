import type { InFlightWord } from '@usher/events';

/** Up to this age a word counts in full: one or two of them may be late or lost. */
const FRESH_MS = 300;
/** From this age on it counts for nothing: whoever said it is gone. In between it counts less and less. */
const FADED_MS = 1_000;

interface Heard {
  inFlight: ReadonlyMap<string, number>;
  heardMs: number;
  /** The round that is coming in, as far as it has. */
  round: number;
  coming: Map<string, number>;
}

/** What other gateways said last of the requests that they have under way. */
export class HeardGateways {
  readonly #heard = new Map<string, Heard>();

  hear(gateway: string, { round, more, inFlight }: InFlightWord, nowMs: number): void {
    let heard = this.#heard.get(gateway);
    if (heard === undefined) {
      heard = { inFlight: new Map(), heardMs: nowMs, round, coming: new Map() };
      this.#heard.set(gateway, heard);
    }
    if (heard.round !== round) heard.coming = new Map();
    heard.round = round;
    for (const [backend, count] of inFlight) heard.coming.set(backend, count);
    if (more) return;
    heard.inFlight = heard.coming;
    heard.coming = new Map();
    heard.heardMs = nowMs;
  }

  forget(gateway: string): void {
    this.#heard.delete(gateway);
  }

  /** Adds what all of them have under way by now to `sums`, by id of the backend; what is older counts less. */
  addTo(sums: Map<string, number>, nowMs: number): void {
    for (const [gateway, { inFlight, heardMs }] of this.#heard) {
      const weight = weightAt(nowMs - heardMs);
      if (weight === 0) this.#heard.delete(gateway);
      else for (const [id, count] of inFlight) sums.set(id, (sums.get(id) ?? 0) + weight * count);
    }
  }
}

function weightAt(ageMs: number): number {
  return Math.max(0, Math.min(1, (FADED_MS - ageMs) / (FADED_MS - FRESH_MS)));
}
