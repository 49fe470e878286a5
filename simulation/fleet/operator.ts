import { COMMANDS_PREFIX, type CommandAnswer, type CommandData, type CommandName } from '@usher/events';
import type { Findings } from '../checks/findings.ts';
import type { Chance } from '../world/chance.ts';
import type { World } from '../world/world.ts';
import type { FleetClient } from './client.ts';

/** As the admin API waits. */
const ANSWER_TIMEOUT_MS = 5_000;
const AGAIN_MS = 700;
/** Of what was accepted, the share that is asked for again, as by somebody to whom the answer was lost. */
const FORGOTTEN = 0.3;
const FORGOTTEN_MEAN_MS = 1_500;

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
  readonly #chance: Chance;
  readonly #findings: Findings;

  constructor(client: FleetClient, world: World, chance: Chance, findings: Findings) {
    this.#client = client;
    this.#world = world;
    this.#chance = chance;
    this.#findings = findings;
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
    if (issued.answer !== undefined) {
      this.#compare(issued, answer);
      return;
    }
    issued.answer = answer;
    issued.answeredMs = this.#world.nowMs;
    if (answer.ok && this.#chance.happens(FORGOTTEN)) {
      const laterMs = this.#chance.exponential(FORGOTTEN_MEAN_MS);
      this.#client.clock.after(laterMs, () => void this.#send(issued, payload));
    }
    const said = answer.ok ? `accepted at ${answer.position}` : `refused: ${answer.problem.code}`;
    this.#world.note('operator', `${issued.id} ${said}`);
  }

  #compare({ id, answer }: Issued, again: CommandAnswer): void {
    if (answer?.ok !== true || (again.ok && again.position === answer.position)) return;
    const detail = `${id} was accepted at ${answer.position}, and then ${JSON.stringify(again)}`;
    this.#findings.report('no acknowledged command is lost or applied twice', detail);
  }
}
