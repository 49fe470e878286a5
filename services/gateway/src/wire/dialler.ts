import { connect, type OnReadOpts, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Log } from '@usher/ports';
import type { Endpoint } from '../routing-table.ts';
import type { Address } from '../table/addresses.ts';
import { BackendFaultLog } from './backend-fault-log.ts';
import { connectCause } from './connect-cause.ts';

/** How long a silent connection stays before the kernel asks whether the other end still exists. */
const KEEP_ALIVE_DELAY_MS = 30_000;

/** The two ways in which a connection does not come about. */
export type ConnectLoss = 'connect_failed' | 'connect_timeout';

/** No address of a backend could be connected to; the cause is that of the last one. */
export class ConnectError extends Error {
  readonly loss: ConnectLoss;

  constructor(loss: ConnectLoss, options?: ErrorOptions) {
    super(loss, options);
    this.name = 'ConnectError';
    this.loss = loss;
  }
}

export interface DialOptions {
  readonly onread?: OnReadOpts;
  readonly allowHalfOpen?: boolean;
  /** What the connection begins with, before any handshake, as latin1. */
  readonly preface?: string;
  /** What may be spoken over TLS, best first (RFC 7301). */
  readonly protocols?: string[];
}

/** A connection on its way. `ready` is the event after which it may be written to. */
export interface Dial {
  readonly socket: Socket;
  readonly address: Address | undefined;
  readonly ready: 'connect' | 'secureConnect';
}

export interface DiallerOptions {
  readonly log: Log;
  now(): number;
  /** A connection to this host failed: what is known of its addresses may be out of date. */
  onUnreachable(host: string): void;
}

/** Opens connections to backends: which address, plain or TLS. Counts and tells those that fail. */
export class Dialler {
  readonly #options: DiallerOptions;
  readonly #faults: BackendFaultLog;

  constructor(options: DiallerOptions) {
    this.#options = options;
    this.#faults = new BackendFaultLog(options.log, 'a connection to a backend failed');
  }

  /** Starts a connection to the endpoint's next address. Who asks for it reports to `failed` if it does not come about. */
  dial(
    endpoint: Endpoint,
    { onread, allowHalfOpen = false, preface = '', protocols }: DialOptions = {},
  ): Dial {
    const address = endpoint.addresses.next(this.#options.now());
    const target = {
      host: address?.ip ?? endpoint.host,
      port: endpoint.port,
      allowHalfOpen,
      ...(onread === undefined ? {} : { onread }),
    };
    const { tls } = endpoint;
    if (tls === undefined) {
      const plain = { ...target, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS };
      const socket = connect(plain);
      if (preface !== '') socket.write(preface, 'latin1');
      return { socket, address, ready: 'connect' };
    }
    const alpn = protocols === undefined ? {} : { ALPNProtocols: protocols };
    try {
      const below = preface === '' ? undefined : connect(target.port, target.host);
      below?.write(preface, 'latin1');
      const socket = connectTls({ ...target, socket: below, ...tls.options(), ...alpn });
      // On top of another socket, Node reads into no buffer of ours.
      if (below !== undefined && onread !== undefined)
        socket.on('data', (chunk: Buffer) => onread.callback(chunk.length, chunk));
      socket.on('session', tls.keeper());
      socket.setNoDelay(true);
      socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS);
      return { socket, address, ready: 'secureConnect' };
    } catch (error) {
      // The files are not what they should be, which ends like every other connection that is refused.
      return { socket: new Socket().destroy(error as Error), address, ready: 'connect' };
    }
  }

  failed(endpoint: Endpoint, address: Address | undefined, error: Error | 'timeout'): void {
    const nowMs = this.#options.now();
    const cause = error === 'timeout' ? error : connectCause(error, endpoint.tls !== undefined);
    (endpoint.connectFailures ??= new Map()).set(cause, (endpoint.connectFailures.get(cause) ?? 0) + 1);
    address?.shun(nowMs);
    const to = address === undefined || address.ip === endpoint.host ? '' : ` (${address.ip})`;
    const detail = error === 'timeout' ? `no connection in time${to}` : `${error.message}${to}`;
    this.#faults.report(endpoint.backend, detail, nowMs);
    if (endpoint.addresses.name !== undefined) this.#options.onUnreachable(endpoint.addresses.name);
  }

  /** Connects to one of the endpoint's addresses after the other, for `timeoutMs` at most, until one takes it. */
  async connect(endpoint: Endpoint, timeoutMs: number, options?: DialOptions): Promise<Socket> {
    const tries = Math.max(1, endpoint.addresses.all.length);
    for (let left = tries; ; left--) {
      try {
        return await this.#connectOnce(endpoint, endpoint.addresses.share(timeoutMs), options);
      } catch (error) {
        if (left <= 1) throw error;
      }
    }
  }

  #connectOnce(endpoint: Endpoint, timeoutMs: number, options?: DialOptions): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const { socket, address, ready } = this.dial(endpoint, options);
      const fail = (loss: ConnectLoss, error: Error | 'timeout'): void => {
        clearTimeout(late);
        socket.destroy();
        this.failed(endpoint, address, error);
        reject(new ConnectError(loss, { cause: error }));
      };
      const late = setTimeout(() => fail('connect_timeout', 'timeout'), timeoutMs);
      const onError = (error: Error): void => fail('connect_failed', error);
      socket.once('error', onError);
      socket.once(ready, () => {
        clearTimeout(late);
        socket.off('error', onError);
        resolve(socket);
      });
    });
  }
}
