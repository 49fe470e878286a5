import type { WorkerObservation } from '../worker/protocol.ts';
import type { Facts } from './facts.ts';

/** Backends in one event: some 100 bytes each, and a message of the log may have at most a megabyte. */
const BACKENDS_PER_EVENT_MAX = 1_000;

/** Sums of one backend. */
interface Sums {
  requests: number;
  failures: number;
  latencySumMs: number;
}

export interface BackendTotals extends Readonly<Sums> {
  readonly inFlight: number;
}

const NONE: ReadonlyMap<string, number> = new Map();
const newSums = (): Sums => ({ requests: 0, failures: 0, latencySumMs: 0 });

/**
 * Adds up what the workers saw: since the gateway started, for metrics, and since the last `gateway.observed`, for the
 * log. What the log cannot take now stays in the sums, so an outage costs memory per backend and not per second.
 */
export class Observations {
  readonly #gateway: string;
  readonly #facts: Pick<Facts, 'tell'>;
  readonly #totals = new Map<string, Sums>();
  readonly #untold = new Map<string, Sums>();
  #untoldRequests = 0;
  #untoldErrors = 0;
  #toldMs: number;
  /** Requests under way, per worker and backend. */
  readonly #inFlight = new Map<number, Map<string, number>>();
  /** Log position that each worker has reached. */
  readonly #positions = new Map<number, number>();

  constructor(gateway: string, facts: Pick<Facts, 'tell'>, nowMs: number) {
    this.#gateway = gateway;
    this.#facts = facts;
    this.#toldMs = nowMs;
  }

  add(worker: number, observation: WorkerObservation): void {
    this.#positions.set(worker, observation.position);
    this.#untoldRequests += observation.requests;
    this.#untoldErrors += observation.errors;
    const inFlight = entry(this.#inFlight, worker, () => new Map<string, number>());
    for (const seen of observation.backends) {
      const now = (inFlight.get(seen.backend) ?? 0) + seen.inFlight;
      if (now === 0) inFlight.delete(seen.backend);
      else inFlight.set(seen.backend, now);
      if (seen.requests === 0) continue;
      for (const sums of [
        entry(this.#totals, seen.backend, newSums),
        entry(this.#untold, seen.backend, newSums),
      ]) {
        sums.requests += seen.requests;
        sums.failures += seen.failures;
        sums.latencySumMs += seen.latencySumMs;
      }
    }
  }

  /** A worker died, and with it what it had under way. */
  forgetWorker(worker: number): void {
    this.#inFlight.delete(worker);
    this.#positions.delete(worker);
  }

  /** A backend was removed: its series ends. */
  forgetBackend(backend: string): void {
    this.#totals.delete(backend);
  }

  /** Whether every one of `workers` has reached a log position and none has anything under way to the backend. */
  isEmpty(backend: string, position: number, workers: number): boolean {
    const reached = [...this.#positions.values()].filter((at) => at >= position).length;
    return reached === workers && this.inFlight(backend) === 0;
  }

  /** Requests under way from one worker, by id of the backend, only those above 0. */
  inFlightOf(worker: number): ReadonlyMap<string, number> {
    return this.#inFlight.get(worker) ?? NONE;
  }

  inFlight(backend: string): number {
    let sum = 0;
    for (const byBackend of this.#inFlight.values()) sum += byBackend.get(backend) ?? 0;
    return sum;
  }

  /** What was seen of each of these backends since the gateway started. */
  totals(
    backends: readonly { readonly id: string; readonly pool: string }[],
  ): Map<string, BackendTotals & { readonly pool: string }> {
    return new Map(
      backends.map(({ id, pool }) => {
        const sums = this.#totals.get(id) ?? newSums();
        return [id, { pool, ...sums, inFlight: this.inFlight(id) }] as const;
      }),
    );
  }

  /** Tells the log what was seen since it was told last; to be called about once a second. */
  tell(nowMs: number): void {
    const windowMs = Math.max(0, Math.round(nowMs - this.#toldMs));
    while (this.#untold.size > 0 || this.#untoldRequests > 0) {
      const told = [...this.#untold].slice(0, BACKENDS_PER_EVENT_MAX);
      const data = {
        gateway: this.#gateway,
        windowMs,
        requests: this.#untoldRequests,
        errors: this.#untoldErrors,
        backends: told.map(([backend, sums]) => ({ backend, ...sums })),
      };
      if (!this.#facts.tell({ type: 'gateway.observed', subject: this.#gateway, data })) return;
      for (const [backend] of told) this.#untold.delete(backend);
      this.#untoldRequests = 0;
      this.#untoldErrors = 0;
    }
    this.#toldMs = nowMs;
  }
}

function entry<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = create()));
  return value;
}
