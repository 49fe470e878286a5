import { isIP } from 'node:net';
import { type ConnectionOptions, createSecureContext, type SecureContext } from 'node:tls';
import type { BackendTlsSettings } from '@usher/domain';
import { readBackendTls } from '@usher/runtime';

/** Files are read again after this long: a renewed certificate is used soon enough, and thousands of probes share one reading. */
const FRESH_MS = 5_000;

interface Read {
  readonly atMs: number;
  readonly context: SecureContext;
}

/** How probes speak TLS: as the gateways do, with the files as they are on this machine. */
export class ProbeTls {
  readonly #read = new Map<string, Read>();

  /** Throws an error that says why the files cannot be used. `nowMs` may be any clock that does not stand still. */
  options(settings: BackendTlsSettings, host: string, nowMs: number): ConnectionOptions {
    const { serverName, verify } = settings;
    // An address is no name to ask for (RFC 6066 section 3); the certificate is compared with it all the same.
    const servername = serverName ?? (isIP(host) === 0 ? host : undefined);
    return {
      host,
      secureContext: this.#contextOf(settings, nowMs),
      rejectUnauthorized: verify,
      ...(servername === undefined ? {} : { servername }),
    };
  }

  #contextOf(settings: BackendTlsSettings, nowMs: number): SecureContext {
    const { ca, cert, key } = settings;
    const name = JSON.stringify([ca, cert, key]);
    const known = this.#read.get(name);
    if (known !== undefined && nowMs - known.atMs < FRESH_MS) return known.context;
    const context = createSecureContext(readBackendTls(settings));
    for (const [old, { atMs }] of this.#read) if (nowMs - atMs >= FRESH_MS) this.#read.delete(old);
    this.#read.set(name, { atMs: nowMs, context });
    return context;
  }
}
