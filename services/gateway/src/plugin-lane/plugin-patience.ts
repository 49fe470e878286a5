import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log } from '@usher/ports';
import type { Arrival } from './exchange.ts';
import { sendPlainProblem } from './raw-requests.ts';

/** Answers for plugins that neither answer a request nor let it pass: a client is not to wait for a promise that nobody keeps. */
export class PluginPatience {
  readonly #limitMs: number;
  readonly #log: Log;
  readonly #waiting = new WeakMap<IncomingMessage, NodeJS.Timeout>();

  constructor(limitMs: number, log: Log) {
    this.#limitMs = limitMs;
    this.#log = log;
  }

  /** The plugins have the request from here on. */
  begin(request: IncomingMessage, response: ServerResponse, arrival: Arrival): void {
    const onLate = (): void => {
      // Whoever reads the body waits for the client, for which there are other limits.
      if (!request.complete && request.readableFlowing === true) this.#wait(request, onLate);
      else if (!response.headersSent) this.#giveUp(response, arrival);
    };
    this.#wait(request, onLate);
    response.once('close', () => this.passed(request));
  }

  /** They let it pass. */
  passed(request: IncomingMessage): void {
    clearTimeout(this.#waiting.get(request));
  }

  #wait(request: IncomingMessage, onLate: () => void): void {
    this.#waiting.set(request, setTimeout(onLate, this.#limitMs));
  }

  #giveUp(response: ServerResponse, { entry, requestId }: Arrival): void {
    const { id, plugins } = entry.settings;
    const names = plugins.map(({ name }) => name).join(', ');
    this.#log.error('plugins have neither answered a request nor let it pass', {
      route: id,
      plugins: names,
      request: requestId,
    });
    response.setHeader('connection', 'close');
    sendPlainProblem(response, 'internal', requestId);
  }
}
