import type { Socket } from 'node:net';
import type { SecureContext, TLSSocket } from 'node:tls';
import type { Log } from '@usher/ports';
import { type ListenerTls, TlsContexts } from './contexts.ts';
import { failureOf, type HandshakeFailure, type TlsCounters } from './counters.ts';
import { clientIsValid, serveTls } from './tls-socket.ts';

/** How long connections that were accepted before a drain may still take to shake hands. */
const SETTLE_MAX_MS = 1_000;
/** Anyone can make handshakes fail, so only an example of them now and then reaches the log. */
const LOG_INTERVAL_MS = 1_000;

/** What a listener is given by its worker. */
export interface TlsListenerTools {
  /** Takes a connection whose handshake is done. */
  accept(socket: Socket): void;
  /** What is spoken over TLS, best first (RFC 7301); a client that speaks none of it is refused. */
  readonly protocols: string[];
  now(): number;
  /** How long a handshake may take in all. */
  handshakeMs(): number;
  /** How many may be under way at a time. */
  handshakesMax(): number;
  readonly counters: TlsCounters;
  readonly log: Log;
}

/** Shakes hands with the clients of one listener. */
export class TlsListener {
  readonly #tools: TlsListenerTools;
  #contexts: TlsContexts;
  /** Handshakes under way, by the time at which they have taken too long, oldest first. */
  readonly #pending = new Map<TLSSocket, number>();
  #onSettled: (() => void) | undefined;
  #loggedMs = Number.NEGATIVE_INFINITY;

  constructor(tls: ListenerTls, tools: TlsListenerTools) {
    this.#tools = tools;
    this.#contexts = new TlsContexts(tls);
  }

  /** Takes up new certificates and ticket keys; handshakes that have begun go on with what they began with. */
  update(tls: ListenerTls): void {
    this.#contexts = new TlsContexts(tls);
  }

  accept(accepted: Socket): void {
    const tools = this.#tools;
    if (this.#pending.size >= tools.handshakesMax()) {
      tools.counters.failed('overloaded');
      accepted.destroy();
      return;
    }
    const contexts = this.#contexts;
    const { clientAuth } = contexts.settings;
    const socket = serveTls(accepted, {
      secureContext: contexts.standard,
      SNICallback: (host: string, done: (error: null, context: SecureContext) => void) =>
        done(null, contexts.choose(host)),
      ALPNProtocols: tools.protocols,
      requestCert: clientAuth !== 'none',
      rejectUnauthorized: clientAuth === 'required',
    });
    this.#pending.set(socket, tools.now() + tools.handshakeMs());
    let failure: NodeJS.ErrnoException | undefined;
    const onError = (error: NodeJS.ErrnoException): void => {
      failure ??= error;
      // What breaks TLS after the handshake is told, but the socket is left as it is.
      socket.destroy();
    };
    socket.on('error', onError);
    socket.on('_tlsError', onError);
    const onEnd = (): void => void socket.destroy();
    socket.once('end', onEnd);
    socket.once('close', () => this.#over(socket, failureOf(failure), failure));
    socket.once('secure', () => {
      socket.off('end', onEnd);
      this.#secure(socket, clientAuth);
    });
  }

  /** Ends the handshakes that have taken too long. */
  sweep(): void {
    const nowMs = this.#tools.now();
    for (const [socket, dueMs] of this.#pending) {
      if (dueMs > nowMs) return;
      this.#over(socket, 'timeout');
      socket.destroy();
    }
  }

  /** Resolves when no handshake is under way; after a second at most, those that are left are broken off. */
  async settle(deadlineMs: number): Promise<void> {
    if (this.#pending.size === 0) return;
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, Math.min(deadlineMs, SETTLE_MAX_MS));
      this.#onSettled = () => {
        clearTimeout(late);
        resolve();
      };
    });
    for (const socket of this.#pending.keys()) socket.destroy();
  }

  #secure(socket: TLSSocket, clientAuth: ListenerTls['clientAuth']): void {
    const { counters } = this.#tools;
    if (clientAuth !== 'none') {
      const valid = clientIsValid(socket);
      if (valid === false || (valid === undefined && clientAuth === 'required')) {
        this.#over(socket, 'client_certificate');
        socket.destroy();
        return;
      }
    }
    if (socket.isSessionReused()) counters.resumed += 1;
    else counters.full += 1;
    this.#pending.delete(socket);
    this.#tools.accept(socket);
    this.#settled();
  }

  /** A handshake failed, unless it was over already. */
  #over(socket: TLSSocket, why: HandshakeFailure, error?: Error): void {
    if (!this.#pending.delete(socket)) return;
    const { counters, log } = this.#tools;
    counters.failed(why);
    const nowMs = this.#tools.now();
    if (nowMs - this.#loggedMs >= LOG_INTERVAL_MS) {
      this.#loggedMs = nowMs;
      log.debug('a TLS handshake failed', { why, cause: error?.message });
    }
    this.#settled();
  }

  #settled(): void {
    if (this.#pending.size === 0) this.#onSettled?.();
  }
}
