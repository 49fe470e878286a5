import type { Clock, Offer, OfferedEndpoint, Refusal } from '@usher/ports';

/** Where everybody is asked who is there: `$SRV.<verb>`, `$SRV.<verb>.<name>` and `$SRV.<verb>.<name>.<id>`. */
export const DISCOVERY_SUBJECT = '$SRV.>';

interface Counts {
  requests: number;
  errors: number;
  lastError: string;
  tookMs: number;
}

/** What `nats micro` and others that look for services are told, as NATS specifies it (ADR-32); servers have no part in that. */
export class ServiceDesk {
  readonly #offer: Offer;
  readonly #queue: string;
  readonly #clock: Clock;
  readonly #counts: ReadonlyMap<string, Counts>;
  readonly #startedMs: number;

  constructor(offer: Offer, queue: string, clock: Clock) {
    this.#offer = offer;
    this.#queue = queue;
    this.#clock = clock;
    this.#startedMs = clock.now();
    this.#counts = new Map(
      offer.endpoints.map(({ subject }) => [subject, { requests: 0, errors: 0, lastError: '', tookMs: 0 }]),
    );
  }

  /** Counts an answer, and tells with what it refuses. */
  count(subject: string, startedMs: number, answer: string): Refusal | undefined {
    const refusal = this.#offer.refusalOf(answer);
    this.#add(subject, startedMs, refusal && `${refusal.status}:${refusal.title}`);
    return refusal;
  }

  /** Counts a request that gets no answer. */
  countFailure(subject: string, startedMs: number): void {
    this.#add(subject, startedMs, '500:no answer');
  }

  #add(subject: string, startedMs: number, error: string | undefined): void {
    const counts = this.#counts.get(subject);
    if (counts === undefined) return;
    counts.requests += 1;
    counts.tookMs += Math.max(0, this.#clock.now() - startedMs);
    if (error === undefined) return;
    counts.errors += 1;
    counts.lastError = error;
  }

  /** Undefined when somebody else is asked. */
  answer(subject: string): string | undefined {
    const [, verb, name, id, ...more] = subject.split('.');
    const { name: ours, id: own } = this.#offer;
    const meant = (name ?? ours) === ours && (id ?? own) === own && more.length === 0;
    const told = meant ? this.#tell(verb) : undefined;
    return told === undefined ? undefined : JSON.stringify(told);
  }

  #tell(verb: string | undefined): object | undefined {
    const { name, id, version, description, endpoints } = this.#offer;
    const self = { name, id, version, metadata: {} };
    if (verb === 'PING') return { type: 'io.nats.micro.v1.ping_response', ...self };
    if (verb === 'INFO') {
      const listed = endpoints.map((endpoint) => ({
        ...this.#nameOf(endpoint),
        metadata: { description: endpoint.description },
      }));
      return { type: 'io.nats.micro.v1.info_response', ...self, description, endpoints: listed };
    }
    if (verb !== 'STATS') return undefined;
    const started = new Date(this.#startedMs).toISOString();
    const counted = endpoints.map((endpoint) => this.#statsOf(endpoint));
    return { type: 'io.nats.micro.v1.stats_response', ...self, started, endpoints: counted };
  }

  #nameOf({ name, subject }: OfferedEndpoint) {
    return { name, subject, queue_group: this.#queue };
  }

  #statsOf(endpoint: OfferedEndpoint) {
    const counts = this.#counts.get(endpoint.subject);
    const { requests = 0, errors = 0, lastError = '', tookMs = 0 } = counts ?? {};
    const processingTime = tookMs * 1_000_000;
    return {
      ...this.#nameOf(endpoint),
      num_requests: requests,
      num_errors: errors,
      last_error: lastError,
      /** In nanoseconds, as the next one. */
      processing_time: processingTime,
      average_processing_time: requests === 0 ? 0 : Math.round(processingTime / requests),
    };
  }
}
