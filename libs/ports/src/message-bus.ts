/**
 * Messages that are not events: commands with their answers, and agents' reports. At most once, nothing is kept.
 * Payloads are JSON text. Drivers: in-process, NATS.
 */
export interface MessageBus {
  /** Sends and waits for one answer. Throws UsherError `no_leader` when nobody serves the subject or nobody answers in time. */
  request(subject: string, payload: string, timeoutMs: number): Promise<string>;
  /**
   * Answers requests to a subject (`*` and `>` match as in NATS) until stopped. With an offer, whoever looks around on the bus
   * finds it, where a bus has a way to look.
   */
  serve(
    subject: string,
    handler: (subject: string, payload: string) => Promise<string>,
    offer?: Offer,
  ): Subscription;
  publish(subject: string, payload: string): void;
  subscribe(subject: string, handler: (subject: string, payload: string) => void): Subscription;
}

/** What is told of a subject that is served, to whoever does not know it. */
export interface Offer {
  /** Of letters, digits, `-` and `_`, as the names of endpoints. */
  readonly name: string;
  /** As https://semver.org has it. */
  readonly version: string;
  /** Unlike that of anybody else who offers the same. */
  readonly id: string;
  readonly description: string;
  readonly endpoints: readonly OfferedEndpoint[];
  /** With what an answer refuses, if it does. */
  readonly refusalOf: (answer: string) => Refusal | undefined;
}

export interface OfferedEndpoint {
  readonly name: string;
  readonly subject: string;
  readonly description: string;
}

export interface Refusal {
  /** As in HTTP. */
  readonly status: number;
  /** One line. */
  readonly title: string;
}

export interface Subscription {
  stop(): void;
}
