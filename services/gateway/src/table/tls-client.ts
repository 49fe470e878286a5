import { isIP } from 'node:net';
import { type ConnectionOptions, createSecureContext, type SecureContext } from 'node:tls';

/** How the `https` backends of a pool are spoken to, with the content of its files. Everything here survives structured cloning. */
export interface TlsRow {
  readonly serverName?: string | undefined;
  readonly verify: boolean;
  /** PEM. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Why the files cannot be used. */
  readonly fault?: string | undefined;
}

/** A pool's TLS, in force until its settings or files change. */
export class PoolTls {
  readonly row: TlsRow;
  #context: SecureContext | undefined;

  constructor(row: TlsRow) {
    this.row = row;
  }

  /** Made when the first connection needs it. Throws what keeps TLS from being used. */
  get context(): SecureContext {
    const { ca, cert, key, fault } = this.row;
    if (fault !== undefined) throw new Error(fault);
    this.#context ??= createSecureContext({ ca, cert, key });
    return this.#context;
  }
}

/** TLS towards one backend. */
export class TlsClient {
  readonly #pool: { readonly tls: PoolTls };
  readonly #host: string;
  #session: { readonly of: PoolTls; readonly ticket: Buffer } | undefined;

  constructor(pool: { readonly tls: PoolTls }, host: string) {
    this.#pool = pool;
    this.#host = host;
  }

  /** For the next connection. Throws what keeps TLS from being used. */
  options(): ConnectionOptions {
    const { tls } = this.#pool;
    const { serverName, verify } = tls.row;
    // An address is no name to ask for (RFC 6066 section 3); the certificate is compared with it all the same.
    const servername = serverName ?? (isIP(this.#host) === 0 ? this.#host : undefined);
    // What was agreed under other settings says nothing about these: resuming it would skip their checks.
    const session = this.#session?.of === tls ? this.#session.ticket : undefined;
    return {
      secureContext: tls.context,
      rejectUnauthorized: verify,
      ...(servername === undefined ? {} : { servername }),
      ...(session === undefined ? {} : { session }),
    };
  }

  /** A function that keeps what a connection with the present settings may resume. */
  keeper(): (ticket: Buffer) => void {
    const of = this.#pool.tls;
    return (ticket) => {
      this.#session = { of, ticket };
    };
  }
}
