import { JwtKeySet, readJwtKey } from '@usher/runtime';
import type { TokenKeyNews } from '../routing-table.ts';

/** A place is asked for at most so often, whatever tokens name: the control thread has a limit of its own. */
const WANT_MS = 1000;

/** The keys of one place. The set is another one as soon as it has changed. */
export class PlaceKeys {
  keys = new JwtKeySet([]);
  readonly #onWanted: () => void;
  #wantedMs = -Infinity;

  constructor(onWanted: () => void) {
    this.#onWanted = onWanted;
  }

  /** A token names a key that is not among them. */
  want(nowMs: number): void {
    if (Math.abs(nowMs - this.#wantedMs) < WANT_MS) return;
    this.#wantedMs = nowMs;
    this.#onWanted();
  }
}

/** The secret that a reference stands for; undefined = nothing. */
export interface PlaceSecret {
  text: string | undefined;
}

/** What the control thread has read of the keys that issuers publish, and of the secrets that settings refer to. */
export class TokenKeys {
  readonly #secrets = new Map<string, PlaceSecret>();
  readonly #places = new Map<string, PlaceKeys>();
  readonly #onWanted: (place: string) => void;

  constructor(onWanted: (place: string) => void) {
    this.#onWanted = onWanted;
  }

  at(place: string): PlaceKeys {
    let known = this.#places.get(place);
    if (known === undefined) this.#places.set(place, (known = new PlaceKeys(() => this.#onWanted(place))));
    return known;
  }

  secretAt(reference: string): PlaceSecret {
    let known = this.#secrets.get(reference);
    if (known === undefined) this.#secrets.set(reference, (known = { text: undefined }));
    return known;
  }

  take(news: TokenKeyNews): void {
    if ('place' in news) this.at(news.place).keys = new JwtKeySet(news.keys.map((key) => readJwtKey(key)));
    else this.secretAt(news.reference).text = news.secret;
  }
}
