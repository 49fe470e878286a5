import { CONTROL_SUBJECT, eventTimeMs, type UsherEvent } from '@usher/events';
import type { LogRecord } from '@usher/ports';
import type { Finding } from './findings.ts';

/** As the architecture says: who counts, and from when on the fault may be one's own. */
const VOTE_AGE_MAX_MS = 30_000;
const SUSPECT_BACKENDS_MIN = 3;

/**
 * What is known of gateways and backends at one moment, from the events alone. It is written from the rules on the page
 * about the breaker and not from the code that decides, and shares none with it.
 */
class View {
  readonly running = new Set<string>();
  /** By backend and gateway: when the gateway was last heard of having used it. */
  readonly used = new Map<string, Map<string, number>>();
  /** By backend and gateway: until when the gateway's own breaker is open. */
  readonly open = new Map<string, Map<string, number>>();
  readonly backends = new Set<string>();

  take(event: UsherEvent): void {
    const { type, data } = event;
    if (type === 'backend.registered') {
      this.#forget(data.settings.id);
      this.backends.add(data.settings.id);
    } else if (type === 'backend.removed') {
      this.#forget(data.backend);
      this.backends.delete(data.backend);
    } else if (type === 'gateway.started') this.running.add(data.gateway);
    else if (type === 'gateway.stopped' || type === 'gateway.lost') this.#retire(data.gateway);
    else if (type === 'gateway.observed')
      for (const { backend } of data.backends) this.#use(backend, data.gateway, eventTimeMs(event));
    else if (type === 'breaker.tripped') {
      this.#use(data.backend, data.gateway, eventTimeMs(event));
      if (this.backends.has(data.backend)) mapAt(this.open, data.backend).set(data.gateway, data.untilMs);
    } else if (type === 'breaker.recovered') this.open.get(data.backend)?.delete(data.gateway);
    else if (type === 'breaker.half_opened' || type === 'breaker.closed') this.open.delete(data.backend);
  }

  /** Undefined when the breaker may open at that time by these votes, else why not. */
  objection(backend: string, votes: readonly string[], nowMs: number): string | undefined {
    const voters = [...this.running].filter((gateway) => {
      const usedMs = this.used.get(backend)?.get(gateway);
      return usedMs !== undefined && usedMs >= nowMs - VOTE_AGE_MAX_MS && !this.#suspect(gateway, nowMs);
    });
    const stray = votes.find((gateway) => !voters.includes(gateway));
    if (stray !== undefined) return `${stray} has no vote`;
    const closed = votes.find((gateway) => !this.#isOpen(backend, gateway, nowMs));
    if (closed !== undefined) return `${closed} did not trip`;
    if (votes.length * 2 <= voters.length) return `${votes.length} of ${voters.length} is no quorum`;
    return undefined;
  }

  #isOpen(backend: string, gateway: string, nowMs: number): boolean {
    return (this.open.get(backend)?.get(gateway) ?? 0) > nowMs;
  }

  /** It fails against most of what it uses, and no other says the same of most of that. */
  #suspect(gateway: string, nowMs: number): boolean {
    const others = [...this.running].filter((other) => other !== gateway);
    if (others.length === 0) return false;
    const used = [...this.backends].filter((backend) => this.used.get(backend)?.has(gateway) === true);
    const failing = used.filter((backend) => this.#isOpen(backend, gateway, nowMs));
    const shared = failing.filter((backend) => others.some((other) => this.#isOpen(backend, other, nowMs)));
    return (
      used.length >= SUSPECT_BACKENDS_MIN &&
      failing.length * 2 > used.length &&
      shared.length * 2 <= failing.length
    );
  }

  #use(backend: string, gateway: string, atMs: number): void {
    if (this.backends.has(backend)) mapAt(this.used, backend).set(gateway, atMs);
  }

  #retire(gateway: string): void {
    this.running.delete(gateway);
    for (const gateways of [...this.used.values(), ...this.open.values()]) gateways.delete(gateway);
  }

  #forget(backend: string): void {
    this.used.delete(backend);
    this.open.delete(backend);
  }
}

/**
 * Whoever opened a breaker had folded its own last decision, and maybe more: at one of the positions since then its votes
 * must have been a quorum.
 */
export function* checkBreakers(history: readonly LogRecord[]): Generator<Finding> {
  let decided = 0;
  for (const { position, subject, events } of history) {
    for (const event of events) {
      if (event.type !== 'breaker.opened') continue;
      const { backend, votes } = event.data;
      const why = objectionSince(history, decided, position, (view) =>
        view.objection(backend, votes, eventTimeMs(event)),
      );
      if (why === undefined) continue;
      const detail = `${backend} opened at ${position} by ${votes.join()}: ${why}`;
      yield { invariant: 'the fleet breaker opens by a quorum', detail };
    }
    if (subject === CONTROL_SUBJECT) decided = position;
  }
}

function objectionSince(
  history: readonly LogRecord[],
  from: number,
  until: number,
  ask: (view: View) => string | undefined,
): string | undefined {
  const view = new View();
  let why: string | undefined;
  for (const { position, events } of history) {
    if (position >= until) break;
    for (const event of events) view.take(event);
    if (position < from) continue;
    why = ask(view);
    if (why === undefined) return undefined;
  }
  return why ?? 'nothing had happened';
}

function mapAt(maps: Map<string, Map<string, number>>, key: string): Map<string, number> {
  let inner = maps.get(key);
  if (inner === undefined) maps.set(key, (inner = new Map()));
  return inner;
}
