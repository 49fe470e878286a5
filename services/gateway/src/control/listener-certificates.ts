import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Clock, Log, Timer, TlsMaterial, TlsSource } from '@usher/ports';
import { FileWatch } from '@usher/runtime';
import type { ListenerTls } from '../tls/contexts.ts';

/** Name, code and key of a session ticket, as Node takes them. */
const TICKET_KEY_BYTES = 48;
/** Whoever learns a ticket key can read what was resumed with it, so none is used for long. */
const TICKET_KEY_LIFE_MS = 12 * 3_600_000;

/** Changes of files, by whether they could be used. */
export interface Reloads {
  ok: number;
  failed: number;
}

export interface ListenerCertificatesOptions {
  readonly source: TlsSource;
  /** `host:port`, for people. */
  readonly listener: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Counted in here. */
  readonly reloads: Reloads;
  /** The workers have to know. */
  onChange(tls: ListenerTls): void;
}

/** Keeps the certificates and the ticket keys of one listener: what its workers have, and what comes next. */
export class ListenerCertificates {
  readonly #options: ListenerCertificatesOptions;
  readonly #files: FileWatch;
  readonly #rotation: Timer;
  #material: TlsMaterial;
  #ticketKeys = randomBytes(TICKET_KEY_BYTES);
  /** Why the files as they are now are not in use. */
  #refused: string | undefined;

  /** Throws what is wrong with the files. */
  constructor(options: ListenerCertificatesOptions) {
    const { source, clock, log } = options;
    this.#options = options;
    this.#material = source.read();
    this.#warnOfExpired();
    this.#files = new FileWatch(source.files, clock, log, () => this.#reload());
    this.#rotation = clock.every(TICKET_KEY_LIFE_MS, () => {
      this.#ticketKeys = randomBytes(TICKET_KEY_BYTES);
      this.#tell();
    });
  }

  get tls(): ListenerTls {
    return { ...this.#material, ticketKeys: this.#ticketKeys };
  }

  /** Whether it keeps what `source` says now. Throws what is wrong with the files. */
  isOf(source: TlsSource): boolean {
    return (
      isDeepStrictEqual(source.files, this.#options.source.files) &&
      isDeepStrictEqual(source.read(), this.#material)
    );
  }

  /** Undefined when the files are in use as they are now. */
  fault(): string | undefined {
    return this.#refused === undefined
      ? undefined
      : `the new certificates of ${this.#options.listener} are not used: ${this.#refused}`;
  }

  stop(): void {
    this.#files.stop();
    this.#rotation.cancel();
  }

  #reload(): void {
    const { source, listener, log, reloads } = this.#options;
    let material: TlsMaterial;
    try {
      material = source.read();
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      if (cause === this.#refused) return;
      this.#refused = cause;
      reloads.failed += 1;
      log.error('new certificates cannot be used, the old ones stay', { listener, cause });
      return;
    }
    const recovered = this.#refused !== undefined;
    this.#refused = undefined;
    if (isDeepStrictEqual(material, this.#material)) {
      if (recovered) log.info('the certificates are the old ones again', { listener });
      return;
    }
    this.#material = material;
    reloads.ok += 1;
    log.info('new certificates are in use', {
      listener,
      names: material.certificates.map(({ names }) => names),
    });
    this.#warnOfExpired();
    this.#tell();
  }

  #tell(): void {
    this.#options.onChange(this.tls);
  }

  #warnOfExpired(): void {
    const { clock, listener, log } = this.#options;
    for (const { names, expiresMs } of this.#material.certificates) {
      if (expiresMs > clock.now()) continue;
      log.warn('a certificate has expired', { listener, names, expired: new Date(expiresMs).toISOString() });
    }
  }
}
