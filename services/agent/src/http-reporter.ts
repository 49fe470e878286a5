import type { Clock, Log, Random } from '@usher/ports';
import type { Reporter } from './reporter.ts';

const REQUEST_TIMEOUT_MS = 5_000;
const BACKOFF_FIRST_MS = 1_000;
const BACKOFF_MAX_MS = 30_000;

export interface HttpReporterOptions {
  /** Origin of the admin API. */
  readonly url: string;
  readonly token?: string | undefined;
  readonly backend: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/**
 * Reports by `POST /v1/stats/<backend>`, one request at a time. After a failure it waits twice as long as the time
 * before, of which a random half is left out so that agents do not come back all at once.
 */
export class HttpReporter implements Reporter {
  readonly #url: URL;
  readonly #headers: Record<string, string>;
  readonly #options: HttpReporterOptions;
  readonly #abort = new AbortController();
  #sending: Promise<void> | undefined;
  #failures = 0;
  #notBeforeMs = 0;
  #fault: string | undefined;

  /** Throws when the URL is not one. */
  constructor(options: HttpReporterOptions) {
    this.#options = options;
    this.#url = new URL(`/v1/stats/${options.backend}`, options.url);
    this.#headers = { 'content-type': 'application/json' };
    if (options.token !== undefined) this.#headers['authorization'] = `Bearer ${options.token}`;
  }

  send(report: string): void {
    const waiting = this.#options.clock.now() < this.#notBeforeMs;
    if (this.#sending !== undefined || waiting || this.#abort.signal.aborted) return;
    this.#sending = this.#deliver(report).finally(() => {
      this.#sending = undefined;
    });
  }

  fault(): string | undefined {
    return this.#fault;
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#sending;
  }

  async #deliver(report: string): Promise<void> {
    const fault = await this.#post(report);
    if (this.#abort.signal.aborted) return;
    const { clock, random, log } = this.#options;
    if (fault === undefined) {
      if (this.#fault !== undefined) log.info('agent: reports get through again');
      this.#failures = 0;
    } else {
      if (this.#fault !== fault) log.warn('agent: reports do not get through', { cause: fault });
      const longestMs = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** this.#failures);
      this.#notBeforeMs = clock.now() + longestMs * (0.5 + random.next() / 2);
      this.#failures += 1;
    }
    this.#fault = fault;
  }

  /** Undefined when the report was accepted, else why it was not. */
  async #post(body: string): Promise<string | undefined> {
    try {
      const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]);
      const request = { method: 'POST', headers: this.#headers, body, signal, redirect: 'error' } as const;
      const response = await fetch(this.#url, request);
      await response.arrayBuffer();
      if (response.ok) return undefined;
      if (response.status === 404) return `the fleet does not know the backend ${this.#options.backend}`;
      return `${this.#url.origin} answered ${response.status}`;
    } catch (error) {
      const { cause, message } = error as Error;
      return cause instanceof Error ? `${message}: ${cause.message}` : message;
    }
  }
}
