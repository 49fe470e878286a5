import { readFile, stat } from 'node:fs/promises';
import type { Clock, Log, Timer } from '@usher/ports';
import { FileWatch } from '../file-watch.ts';
import type { JwtAlgorithm } from './algorithms.ts';
import { type JwtKey, JwtKeySet, readKeySet } from './key-set.ts';

/** A key that its issuer has withdrawn is not used for longer. */
const KEEP_MS = 600_000;
/** After a failure, and at most so often because of tokens that name unknown keys. */
const COOL_DOWN_MS = 30_000;
const FETCH_TIMEOUT_MS = 5_000;
const SET_BYTES_MAX = 256 * 1024;

/** Where an issuer publishes its keys: a URL, or a file by its absolute path. */
export type JwksPlace = { readonly url: string } | { readonly file: string };

export interface PublishedKeysOptions {
  readonly place: JwksPlace;
  /** The others are not used. */
  readonly algorithms: readonly JwtAlgorithm[];
  readonly clock: Clock;
  readonly log: Log;
  /** Hears of the keys each time that they were read. */
  readonly onRead?: ((keys: readonly JwtKey[]) => void) | undefined;
}

/** The URL or the path, by which places are told apart. */
export function nameOfPlace(place: JwksPlace): string {
  return 'url' in place ? place.url : place.file;
}

/** The same for people: without the query of a URL, which may be a key. */
function wordsForPlace(place: JwksPlace): string {
  if ('file' in place) return place.file;
  const { origin, pathname } = new URL(place.url);
  return origin + pathname;
}

/**
 * The keys that an issuer publishes as a JSON Web Key Set. They are read at the start and every ten minutes; while that fails,
 * the last known ones stay in use. Nobody but who names an unknown key waits for it.
 */
export class PublishedKeys {
  readonly #options: PublishedKeysOptions;
  readonly #watch: FileWatch | undefined;
  #keys = new JwtKeySet([]);
  #reading: Promise<void> | undefined;
  #readMs = Number.NEGATIVE_INFINITY;
  #next: Timer | undefined;
  /** Why the keys could not be read when that was tried last. */
  #fault: string | undefined;
  #stopped = false;

  constructor(options: PublishedKeysOptions) {
    const { place, clock, log } = options;
    this.#options = options;
    if ('file' in place) this.#watch = new FileWatch([place.file], clock, log, () => void this.#read());
    void this.#read();
  }

  get keys(): JwtKeySet {
    return this.#keys;
  }

  /** What to call the place in a log or in front of people. */
  get where(): string {
    return wordsForPlace(this.#options.place);
  }

  /** Why the keys in use may be out of date. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Resolves when the keys have been read again, or have been just now. */
  async renew(): Promise<void> {
    if (this.#reading === undefined && this.#options.clock.steady() - this.#readMs < COOL_DOWN_MS) return;
    await this.#read();
  }

  stop(): void {
    this.#stopped = true;
    this.#watch?.stop();
    this.#next?.cancel();
  }

  #read(): Promise<void> {
    this.#reading ??= this.#readOnce().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readOnce(): Promise<void> {
    const { where } = this;
    const { place, algorithms, clock, log, onRead } = this.#options;
    this.#readMs = clock.steady();
    try {
      const text = await ('url' in place ? fetched(place.url) : contentOf(place.file));
      const keys = readKeySet(text, algorithms);
      if (this.#stopped) return;
      this.#keys = new JwtKeySet(keys);
      onRead?.(keys);
      if (this.#fault !== undefined) log.info('the keys for tokens can be read again', { where });
      this.#fault = undefined;
    } catch (error) {
      const cause = reasonOf(error);
      if (cause !== this.#fault)
        log.error('the keys for tokens cannot be read, the last known ones stay', { where, cause });
      this.#fault = cause;
    }
    this.#next?.cancel();
    if (this.#stopped) return;
    const pauseMs = this.#fault === undefined ? KEEP_MS : COOL_DOWN_MS;
    this.#next = clock.after(pauseMs, () => void this.#read());
  }
}

function reasonOf(error: unknown): string {
  const { cause, message } = error as Error;
  return cause instanceof Error ? cause.message : message;
}

async function contentOf(file: string): Promise<string> {
  if ((await stat(file)).size > SET_BYTES_MAX) throw new Error(`it is longer than ${SET_BYTES_MAX} bytes`);
  return await readFile(file, 'utf8');
}

/** Follows no redirect: who may say where keys come from is the configuration. */
async function fetched(url: string): Promise<string> {
  const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS);
  const response = await fetch(url, { redirect: 'error', signal, headers: { accept: 'application/json' } });
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    throw new Error(`it was answered with ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    // Leaving the loop cancels the rest.
    if (bytes > SET_BYTES_MAX) throw new Error(`it is longer than ${SET_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
