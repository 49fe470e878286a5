/**
 * Messages that are not events: commands with their answers, and agents' reports. At most once, nothing is kept.
 * Payloads are JSON text. Drivers: in-process, NATS.
 */
export interface MessageBus {
  /** Sends and waits for one answer. Throws UsherError `no_leader` when nobody serves the subject or nobody answers in time. */
  request(subject: string, payload: string, timeoutMs: number): Promise<string>;
  /** Answers requests to a subject (`*` and `>` match as in NATS) until stopped. */
  serve(subject: string, handler: (subject: string, payload: string) => Promise<string>): Subscription;
  publish(subject: string, payload: string): void;
  subscribe(subject: string, handler: (subject: string, payload: string) => void): Subscription;
}

export interface Subscription {
  stop(): void;
}
