import type { ApiKeySettings } from '@usher/domain';
import { hashFinder } from '@usher/runtime';
import { type TurnedAway, turnedAway } from '../wire/own-answer.ts';
import type { TrafficRequest } from './traffic-request.ts';

/** Knows callers by the keys that they show in a header. */
export class ApiKeys {
  readonly header: string;
  readonly #whose: (shown: string) => string | undefined;
  readonly #refusal: TurnedAway;

  constructor({ header, keys }: ApiKeySettings) {
    this.header = header;
    this.#whose = hashFinder(
      keys.map(({ name, sha256 }) => ({ hash: Buffer.from(sha256, 'hex'), whose: name })),
    );
    this.#refusal = turnedAway('unauthorized', `a valid key in ${header} is required`, [
      'www-authenticate',
      `ApiKey header="${header}"`,
    ]);
  }

  /** Finds out who calls; answers with a refusal when that is nobody. A key that is shown twice is none. */
  identify(request: TrafficRequest): TurnedAway | undefined {
    const shown = request.header(this.header);
    const consumer = shown === undefined ? undefined : this.#whose(shown);
    if (consumer === undefined) return this.#refusal;
    request.consumer = consumer;
    return undefined;
  }
}
