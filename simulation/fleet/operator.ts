import { COMMANDS_PREFIX, type CommandAnswer, type CommandData, type CommandName } from '@usher/events';
import type { World } from '../world/world.ts';
import type { FleetClient } from './client.ts';

/** As the admin API waits. */
const ANSWER_TIMEOUT_MS = 5_000;
const AGAIN_MS = 700;

/** A wish and what became of it. */
export interface Issued {
  readonly id: string;
  readonly name: CommandName;
  /** When it was first sent. */
  readonly sentMs: number;
  attempts: number;
  answer: CommandAnswer | undefined;
  answeredMs: number;
}

export type Wish = {
  readonly [N in CommandName]: { readonly name: N; readonly data: CommandData<N> };
}[CommandName];

/** Somebody who wants things of the fleet and asks again, by the same id, until there is an answer. */
export class Operator {
  readonly issued: Issued[] = [];
  readonly #client: FleetClient;
  readonly #world: World;

  constructor(client: FleetClient, world: World) {
    this.#client = client;
    this.#world = world;
  }

  wish({ name, data }: Wish): Issued {
    const id = `wish-${this.issued.length + 1}`;
    const issued: Issued = {
      id,
      name,
      sentMs: this.#world.nowMs,
      attempts: 0,
      answer: undefined,
      answeredMs: 0,
    };
    this.issued.push(issued);
    this.#world.note('operator', `${id} ${name} ${JSON.stringify(data)}`);
    void this.#send(issued, JSON.stringify({ id, name, data, actor: 'operator' }));
    return issued;
  }

  async #send(issued: Issued, payload: string): Promise<void> {
    issued.attempts += 1;
    const subject = `${COMMANDS_PREFIX}.${issued.name}`;
    const answer = await this.#client.bus.request(subject, payload, ANSWER_TIMEOUT_MS).then(
      (text) => JSON.parse(text) as CommandAnswer,
      () => undefined,
    );
    // 503: nobody could answer for good now.
    if (answer === undefined || (!answer.ok && answer.problem.status >= 500)) {
      this.#client.clock.after(AGAIN_MS, () => void this.#send(issued, payload));
      return;
    }
    issued.answer = answer;
    issued.answeredMs = this.#world.nowMs;
    const said = answer.ok ? `accepted at ${answer.position}` : `refused: ${answer.problem.code}`;
    this.#world.note('operator', `${issued.id} ${said}`);
  }
}
