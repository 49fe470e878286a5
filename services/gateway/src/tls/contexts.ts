import { constants, createHash } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { comparableHost } from '@usher/http1';
import type { TlsMaterial } from '@usher/ports';

/** What one listener's workers need to shake hands. Survives structured cloning. */
export interface ListenerTls extends TlsMaterial {
  /** 48 secret bytes, the same in all workers, so that each of them knows the sessions of the others. */
  readonly ticketKeys: Uint8Array;
}

const SECURE_OPTIONS =
  constants.SSL_OP_CIPHER_SERVER_PREFERENCE |
  // A client that puts ChaCha20 first has no hardware for AES.
  constants.SSL_OP_PRIORITIZE_CHACHA |
  constants.SSL_OP_NO_RENEGOTIATION;

/** The certificates of a listener, ready to be used, by the host that a client asks for. */
export class TlsContexts {
  readonly settings: ListenerTls;
  /** For clients that name no host. */
  readonly standard: SecureContext;
  readonly #byName = new Map<string, SecureContext>();

  constructor(settings: ListenerTls) {
    this.settings = settings;
    const shared = sharedOptions(settings);
    const contexts = settings.certificates.map(({ cert, key, names }) => {
      const context = createSecureContext({ ...shared, cert, key });
      for (const name of names) if (!this.#byName.has(name)) this.#byName.set(name, context);
      return context;
    });
    const [first] = contexts;
    if (first === undefined) throw new Error('a TLS listener has no certificate');
    this.standard = first;
  }

  /** For a client that names a host: the one for exactly this name, else for its wildcard (RFC 6125 section 6.4.3), else the standard one. */
  choose(host: string): SecureContext {
    const name = comparableHost(host);
    const exact = this.#byName.get(name);
    if (exact !== undefined) return exact;
    const dot = name.indexOf('.');
    return (dot < 0 ? undefined : this.#byName.get(`*${name.slice(dot)}`)) ?? this.standard;
  }
}

function sharedOptions({ minVersion, ciphers, clientAuth, clientCa, ticketKeys }: ListenerTls) {
  // A session that began under other rules about clients' certificates must not go on under these.
  const rules = createHash('sha256').update(`${clientAuth}\n${clientCa ?? ''}`);
  return {
    minVersion,
    ciphers,
    secureOptions: SECURE_OPTIONS,
    ticketKeys: Buffer.from(ticketKeys),
    sessionIdContext: rules.digest('hex').slice(0, 32),
    ...(clientCa === undefined ? {} : { ca: clientCa }),
  };
}
