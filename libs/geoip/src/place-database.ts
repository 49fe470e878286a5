import type { Place } from '@usher/domain';
import { type CityResponse, Reader } from 'maxmind';

/** The metadata lies in so many bytes at the end of a file, behind this mark. */
const METADATA_BYTES_MAX = 128 * 1024;
const METADATA_MARK = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');

/** What a database says of a network. */
interface FoundPlace {
  /** Undefined when it knows none. */
  readonly place: Place | undefined;
  /** Of the network that this holds for; an IPv4 network counts as IPv4 does. */
  readonly prefixLength: number;
}

/** A database of places in MaxMind's format, as GeoIP2 City and GeoLite2 City have it. */
export class PlaceDatabase {
  readonly builtMs: number;
  readonly #reader: Reader<CityResponse>;

  constructor(reader: Reader<CityResponse>) {
    this.#reader = reader;
    this.builtMs = reader.metadata.buildEpoch.getTime();
  }

  /** Undefined when it cannot say: it has no IPv6, or is damaged at this place. */
  find(address: string): FoundPlace | undefined {
    if (this.#reader.metadata.ipVersion === 4 && address.includes(':')) return undefined;
    try {
      const [record, prefixLength] = this.#reader.getWithPrefixLength(address);
      const { latitude, longitude } = record?.location ?? {};
      const known = typeof latitude === 'number' && typeof longitude === 'number';
      return { place: known ? { latitude, longitude } : undefined, prefixLength };
    } catch {
      return undefined;
    }
  }
}

/** Reads the content of a file where it lies, so that several threads can share it. Throws what is wrong with it. */
export function openPlaceDatabase(content: SharedArrayBuffer): PlaceDatabase {
  const bytes = Buffer.from(content);
  // The reader itself would look for the mark in all of a large file that is something else.
  const end = bytes.subarray(Math.max(0, bytes.length - METADATA_BYTES_MAX));
  if (!end.includes(METADATA_MARK)) throw new Error('it is no MaxMind database, or not all of one');
  if (!bytes.includes('latitude')) throw new Error('it has no coordinates; a City database has them');
  return new PlaceDatabase(new Reader<CityResponse>(bytes));
}
