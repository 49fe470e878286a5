import type { Socket } from 'node:net';
import type { SecureContext, TLSSocket } from 'node:tls';
import type { Log } from '@usher/ports';
import type { ProxyClaim } from '../proxy-protocol/parse.ts';
import type { Arrivals } from '../worker/arrivals.ts';
import { type ListenerTls, TlsContexts } from './contexts.ts';
import { failureOf, type HandshakeFailure, type TlsCounters } from './counters.ts';
import { clientIsValid, serveTls } from './tls-socket.ts';

/** Anyone can make handshakes fail, so only an example of them now and then reaches the log. */
const LOG_INTERVAL_MS = 1_000;

/** What a listener is given by its worker. */
export interface TlsListenerTools {
  /** Takes a connection whose handshake is done. */
  accept(socket: Socket, claim: ProxyClaim | undefined): void;
  /** What is spoken over TLS, best first (RFC 7301); a client that speaks none of it is refused. */
  readonly protocols: string[];
  readonly now: () => number;
  readonly arrivals: Arrivals;
  readonly counters: TlsCounters;
  readonly log: Log;
}

/** Shakes hands with the clients of one listener. */
export class TlsListener {
  readonly #tools: TlsListenerTools;
  #contexts: TlsContexts;
  #loggedMs = Number.NEGATIVE_INFINITY;

  constructor(tls: ListenerTls, tools: TlsListenerTools) {
    this.#tools = tools;
    this.#contexts = new TlsContexts(tls);
  }

  /** Takes up new certificates and ticket keys; handshakes that have begun go on with what they began with. */
  update(tls: ListenerTls): void {
    this.#contexts = new TlsContexts(tls);
  }

  /** `claim`: what a PROXY header said before; `first`: bytes that were read with that. */
  accept(accepted: Socket, claim?: ProxyClaim, first?: Buffer): void {
    const { arrivals, counters } = this.#tools;
    if (arrivals.full) {
      counters.failed('overloaded');
      accepted.destroy();
      return;
    }
    const contexts = this.#contexts;
    const { clientAuth } = contexts.settings;
    const options = {
      secureContext: contexts.standard,
      SNICallback: (host: string, done: (error: null, context: SecureContext) => void) =>
        done(null, contexts.choose(host)),
      ALPNProtocols: this.#tools.protocols,
      requestCert: clientAuth !== 'none',
      rejectUnauthorized: clientAuth === 'required',
    };
    const socket = serveTls(accepted, options, first);
    arrivals.begin(socket, () => this.#late(socket));
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
      this.#secure(socket, clientAuth, claim);
    });
  }

  #late(socket: TLSSocket): void {
    this.#over(socket, 'timeout');
    socket.destroy();
  }

  #secure(socket: TLSSocket, clientAuth: ListenerTls['clientAuth'], claim: ProxyClaim | undefined): void {
    const { arrivals, counters } = this.#tools;
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
    arrivals.end(socket);
    this.#tools.accept(socket, claim);
  }

  /** A handshake failed, unless it was over already. */
  #over(socket: TLSSocket, why: HandshakeFailure, error?: Error): void {
    const { arrivals, counters, log } = this.#tools;
    if (!arrivals.end(socket)) return;
    counters.failed(why);
    const nowMs = this.#tools.now();
    if (nowMs - this.#loggedMs >= LOG_INTERVAL_MS) {
      this.#loggedMs = nowMs;
      log.debug('a TLS handshake failed', { why, cause: error?.message });
    }
  }
}
