import { type Problem, UsherError } from '@usher/domain';
import { AGENTS_PREFIX, STATS_PREFIX } from '@usher/events';
import type { MessageBus } from '@usher/ports';
import type { Registration, Uplink } from './uplink.ts';

const ANSWER_TIMEOUT_MS = 5_000;
/** A published report gets no answer, so one in so many asks whether the fleet knows the backend. */
const REPORTS_PER_QUESTION = 15;

/** Reports over the message bus: to `usher.stats.<backend>`, with everything that wants an answer to `usher.agents.<backend>`. */
export class BusUplink implements Uplink {
  readonly #bus: MessageBus;
  readonly #backend: string;
  #untilQuestion = 0;

  constructor(bus: MessageBus, backend: string) {
    this.#bus = bus;
    this.#backend = backend;
  }

  async report(report: string): Promise<void> {
    this.#bus.publish(`${STATS_PREFIX}.${this.#backend}`, report);
    this.#untilQuestion -= 1;
    if (this.#untilQuestion >= 0) return;
    await this.#ask({ wish: 'check' });
    this.#untilQuestion = REPORTS_PER_QUESTION;
  }

  async register(registration: Registration): Promise<void> {
    await this.#ask({ wish: 'register', settings: registration });
  }

  async deregister(): Promise<void> {
    await this.#ask({ wish: 'deregister' });
  }

  abort(): void {
    // A question that is under way ends by itself, within seconds.
  }

  close(): void {
    // The bus belongs to whoever opened it.
  }

  async #ask(question: object): Promise<void> {
    const subject = `${AGENTS_PREFIX}.${this.#backend}`;
    const answer = await this.#bus.request(subject, JSON.stringify(question), ANSWER_TIMEOUT_MS);
    const { problem } = JSON.parse(answer) as { readonly problem?: Problem };
    if (problem !== undefined) throw new UsherError(problem.code, problem.detail);
  }
}
