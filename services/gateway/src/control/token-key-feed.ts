import type { PolicySettings, TokenSettings } from '@usher/domain';
import type { Clock, Log } from '@usher/ports';
import {
  type JwtKeySettings,
  nameOfPlace,
  PUBLISHED_ALGORITHMS,
  PublishedKeys,
  writtenJwtKey,
} from '@usher/runtime';
import type { TableDelta } from '../routing-table.ts';
import { tokenSettingsOf } from '../traffic/token-settings.ts';

export interface TokenKeyFeedOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly onChange: (deltas: readonly TableDelta[]) => void;
}

type Jwks = NonNullable<TokenSettings['jwks']>;

/** Reads the keys that issuers publish, once for all workers and for all routes that name the same place. */
export class TokenKeyFeed {
  readonly #options: TokenKeyFeedOptions;
  readonly #readers = new Map<string, PublishedKeys>();
  /** What the workers were told. */
  readonly #told = new Map<string, readonly JwtKeySettings[]>();

  constructor(options: TokenKeyFeedOptions) {
    this.#options = options;
  }

  /** Why keys in use may be out of date, or there are none. */
  get fault(): string | undefined {
    for (const [place, { fault }] of this.#readers)
      if (fault !== undefined) return `the keys for tokens at ${place} cannot be read: ${fault}`;
    return undefined;
  }

  /** Everything, for a worker that knows nothing. */
  snapshot(): TableDelta[] {
    return Array.from(this.#told, ([place, keys]) => ({ kind: 'token_keys', place, keys }) as const);
  }

  /** Takes up which places are named; answers with what is known no more. */
  follow(policy: Pick<PolicySettings, 'traffic' | 'routes'>): TableDelta[] {
    const named = tokenSettingsOf(policy).flatMap(({ jwks }) => jwks ?? []);
    const places = new Map(named.map((place) => [nameOfPlace(place), place]));
    for (const [name, place] of places) if (!this.#readers.has(name)) this.#begin(name, place);
    const gone = [...this.#readers.keys()].filter((name) => !places.has(name));
    for (const name of gone) {
      this.#readers.get(name)?.stop();
      this.#readers.delete(name);
      this.#told.delete(name);
    }
    return gone.map((place) => ({ kind: 'token_keys', place, keys: [] }));
  }

  /** Resolves when all have been read, or could not be. */
  async settled(): Promise<void> {
    await Promise.all(Array.from(this.#readers.values(), (reader) => reader.renew()));
  }

  /** Somebody showed a token with another key; whoever does that often has no further effect. */
  async renew(place: string): Promise<void> {
    await this.#readers.get(place)?.renew();
  }

  stop(): void {
    for (const reader of this.#readers.values()) reader.stop();
  }

  #begin(name: string, place: Jwks): void {
    const { clock, log, onChange } = this.#options;
    const reader = new PublishedKeys({
      place,
      algorithms: PUBLISHED_ALGORITHMS,
      clock,
      log,
      onRead: (published) => {
        const keys = published.map((key) => writtenJwtKey(key));
        if (JSON.stringify(keys) === JSON.stringify(this.#told.get(name))) return;
        this.#told.set(name, keys);
        onChange([{ kind: 'token_keys', place: name, keys }]);
      },
    });
    this.#readers.set(name, reader);
  }
}
