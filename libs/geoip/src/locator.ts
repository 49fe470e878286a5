import { onSphere, type SpherePoint } from '@usher/domain';
import {
  ADDRESS_BITS,
  addressText,
  isMapped,
  MAPPED_PREFIX_BITS,
  newAddressBits,
  readAddress,
} from './address-bits.ts';
import type { PlaceDatabase } from './place-database.ts';
import { PrefixCache } from './prefix-cache.ts';

/** Says where addresses are, as far as a database knows. */
export class Locator {
  #database: PlaceDatabase | undefined;
  #cache: PrefixCache<SpherePoint | undefined> | undefined;
  readonly #bits = newAddressBits();

  /** From now on it goes by this database; undefined = nothing is known. */
  use(database: PlaceDatabase | undefined): void {
    this.#database = database;
    this.#cache?.clear();
  }

  /** Undefined for what is not known and for what is no address. Allocates nothing for a network that was asked for before. */
  locate(address: string): SpherePoint | undefined {
    if (this.#database === undefined || !readAddress(address, this.#bits)) return undefined;
    this.#cache ??= new PrefixCache<SpherePoint | undefined>(undefined);
    const known = this.#cache.find(this.#bits);
    return known < 0 ? this.#lookUp(this.#database, this.#cache) : this.#cache.at(known);
  }

  #lookUp(database: PlaceDatabase, cache: PrefixCache<SpherePoint | undefined>): SpherePoint | undefined {
    const bits = this.#bits;
    const found = database.find(addressText(bits));
    const point = found?.place && onSphere(found.place);
    // Where the database cannot say, that is remembered of this address alone.
    if (found === undefined) cache.set(bits, ADDRESS_BITS, undefined);
    else cache.set(bits, found.prefixLength + (isMapped(bits) ? MAPPED_PREFIX_BITS : 0), point);
    return point;
  }
}
