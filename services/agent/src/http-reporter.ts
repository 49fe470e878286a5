import http from 'node:http';
import https from 'node:https';
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
  /** Not `fetch`, which costs several times as much for each report. */
  readonly #protocol: typeof http | typeof https;
  readonly #connection: http.Agent;
  readonly #options: HttpReporterOptions;
  readonly #abort = new AbortController();
  #sending: Promise<void> | undefined;
  #failures = 0;
  #notBeforeMs = 0;
  #fault: string | undefined;

  /** Throws when the URL is not one of HTTP. */
  constructor(options: HttpReporterOptions) {
    this.#options = options;
    this.#url = new URL(`/v1/stats/${options.backend}`, options.url);
    if (!/^https?:$/.test(this.#url.protocol)) throw new Error(`${options.url} is not an http or https URL`);
    this.#protocol = this.#url.protocol === 'https:' ? https : http;
    this.#connection = new this.#protocol.Agent({ keepAlive: true, maxSockets: 1 });
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
    this.#connection.destroy();
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

  /** Resolves with undefined when the report was accepted, else with why it was not. */
  #post(body: string): Promise<string | undefined> {
    return new Promise((resolve) => {
      const request = this.#protocol.request(this.#url, {
        method: 'POST',
        headers: { ...this.#headers, 'content-length': Buffer.byteLength(body) },
        agent: this.#connection,
        signal: this.#abort.signal,
        timeout: REQUEST_TIMEOUT_MS,
      });
      request.on('timeout', () => request.destroy(new Error(`no answer within ${REQUEST_TIMEOUT_MS} ms`)));
      request.on('error', (error) => resolve(error.message));
      request.on('response', (response) => {
        response.resume();
        response.on('error', (error) => resolve(error.message));
        response.on('end', () => resolve(this.#faultOf(response.statusCode ?? 0)));
      });
      request.end(body);
    });
  }

  #faultOf(status: number): string | undefined {
    if (status >= 200 && status < 300) return undefined;
    if (status === 404) return `the fleet does not know the backend ${this.#options.backend}`;
    return `${this.#url.origin} answered ${status}`;
  }
}
