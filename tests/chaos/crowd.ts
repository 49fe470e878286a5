import { setTimeout as sleep } from 'node:timers/promises';
import { type Ending, Line } from './client/line.ts';

const LIMIT_MS = 10_000;
const POLL_MS = 5;
const PAUSE_MS_MAX = 40;
/** Those with higher places take longer pauses than the maximum. */
const PLACES = 24;
const PATHS = ['/', '/plugin/', '/slow', '/plugin/slow'];

/** How clients take it that the gateway is not ready: a balancer opens no connection to it any more, others go on. */
type Manners = 'as a balancer' | 'regardless';

/** Clients that never stop asking: some keep their connections, others open one for each request. */
export class Crowd {
  readonly #endings = new Map<Ending, number>();
  /** Answers that came after the gateway had said that it is not ready. */
  late = 0;
  leaving = false;
  #over = false;
  readonly #port: number;
  readonly #manners: Manners;
  readonly #clients: readonly Promise<void>[];

  constructor(port: number, manners: Manners, kept: number, brief: number) {
    this.#port = port;
    this.#manners = manners;
    this.#clients = [
      ...Array.from({ length: kept }, (_, place) => this.#client(place, Infinity)),
      ...Array.from({ length: brief }, (_, place) => this.#client(place, 1)),
    ];
  }

  of(ending: Ending): number {
    return this.#endings.get(ending) ?? 0;
  }

  /** Answers with another status than 200. */
  get errors(): number {
    const others = [...this.#endings].filter(([ending]) => typeof ending === 'number' && ending !== 200);
    return others.reduce((sum, [, count]) => sum + count, 0);
  }

  async stop(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#clients);
  }

  async #client(place: number, requestsPerConnection: number): Promise<void> {
    const request = `GET ${PATHS[place % PATHS.length]} HTTP/1.1\r\nhost: chaos\r\n\r\n`;
    let line: Line | undefined;
    for (let requests = 0; !this.#over; requests++) {
      if (line?.open !== true || requests % requestsPerConnection === 0) {
        line?.close();
        await this.#permission();
        line = new Line(this.#port);
      }
      const ending = await line.ask(request, LIMIT_MS);
      this.#endings.set(ending, (this.#endings.get(ending) ?? 0) + 1);
      if (ending === 200 && this.leaving) this.late += 1;
      // As long as nobody listens there is nothing to do.
      await sleep(ending === 'refused' ? PAUSE_MS_MAX : (PAUSE_MS_MAX * place) / PLACES);
    }
    line?.close();
  }

  async #permission(): Promise<void> {
    while (this.#manners === 'as a balancer' && this.leaving && !this.#over) await sleep(POLL_MS);
  }
}
