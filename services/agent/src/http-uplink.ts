import { ERRORS, type Problem, UsherError } from '@usher/domain';
import { type HttpAnswer, HttpLink, type HttpTarget } from './http-link.ts';
import type { Registration, Uplink } from './uplink.ts';

/** Reports over the admin API, by `POST /v1/stats/<backend>`, and registers by `PUT /v1/agents/<backend>`. */
export class HttpUplink implements Uplink {
  readonly #link: HttpLink;
  readonly #origin: string;
  readonly #stats: string;
  readonly #agents: string;

  /** Throws when the URL is not one of HTTP or the token cannot be one. */
  constructor(server: HttpTarget, backend: string) {
    this.#link = new HttpLink(server);
    this.#origin = new URL(server.url).origin;
    this.#stats = `/v1/stats/${backend}`;
    this.#agents = `/v1/agents/${backend}`;
  }

  async report(report: string): Promise<void> {
    this.#check(await this.#link.request('POST', this.#stats, report));
  }

  async register(registration: Registration): Promise<void> {
    this.#check(await this.#link.request('PUT', this.#agents, JSON.stringify(registration)));
  }

  async deregister(): Promise<void> {
    this.#check(await this.#link.request('DELETE', this.#agents));
  }

  abort(): void {
    this.#link.close();
  }

  close(): void {
    this.#link.close();
  }

  #check({ status, body }: HttpAnswer): void {
    if (status >= 200 && status < 300) return;
    const problem = problemIn(body);
    if (problem === undefined) throw new Error(`${this.#origin} answered ${status}`);
    throw new UsherError(problem.code, problem.detail ?? problem.title);
  }
}

/** Undefined for an answer that is not one of the admin API's. */
function problemIn(body: string): Problem | undefined {
  try {
    const problem = JSON.parse(body) as Problem;
    return Object.hasOwn(ERRORS, problem.code) ? problem : undefined;
  } catch {
    return undefined;
  }
}
