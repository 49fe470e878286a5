import type { Socket } from 'node:net';
import type { WireCounters } from '../wire/counters.ts';
import { plainAddress } from '../wire/peer.ts';
import type { Arrivals } from '../worker/arrivals.ts';
import { type ProxyClaim, parseProxyHeader } from './parse.ts';
import type { ProxySenders } from './senders.ts';

/** Takes a connection; `first` are bytes of it that have been read already. */
export type Accept = (socket: Socket, claim?: ProxyClaim, first?: Buffer) => void;

export interface ProxyListenerTools {
  /** Who the connections are for: a lane, or what shakes hands before it. */
  readonly next: Accept;
  readonly arrivals: Arrivals;
  readonly counters: WireCounters;
}

/**
 * Reads what connections begin with on a listener whose senders tell with the PROXY protocol whom they speak for. Without a
 * valid header nobody knows who that is, so the connection is closed without an answer (section 2 of the specification).
 */
export class ProxyListener {
  readonly #senders: ProxySenders;
  readonly #tools: ProxyListenerTools;

  constructor(senders: ProxySenders, tools: ProxyListenerTools) {
    this.#senders = senders;
    this.#tools = tools;
  }

  accept(socket: Socket): void {
    const { next, arrivals, counters } = this.#tools;
    if (!this.#senders.include(plainAddress(socket.remoteAddress ?? ''))) {
      next(socket);
      return;
    }
    const destroy = (): void => void socket.destroy();
    if (arrivals.full) {
      counters.connectionsRefused += 1;
      destroy();
      return;
    }
    arrivals.begin(socket, destroy);
    let received: Buffer = Buffer.alloc(0);
    const onData = (bytes: Buffer): void => {
      received = received.length === 0 ? bytes : Buffer.concat([received, bytes]);
      const header = parseProxyHeader(received);
      if (header.kind === 'incomplete') return;
      counters.bytesIn += header.kind === 'header' ? header.length : received.length;
      if (header.kind === 'invalid') {
        counters.badRequests += 1;
        destroy();
        return;
      }
      socket.off('data', onData).off('end', destroy).off('error', destroy).off('close', onClose);
      stopReading(socket);
      arrivals.end(socket);
      next(socket, header, received.subarray(header.length));
    };
    const onClose = (): void => void arrivals.end(socket);
    socket.on('data', onData).on('end', destroy).on('error', destroy).on('close', onClose);
  }
}

/** Pausing a socket that is read as a stream leaves its connection reading; whoever takes that over wants to begin anew. */
function stopReading(socket: Socket): void {
  socket.pause();
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null) return;
  const readStop: unknown = Reflect.get(handle, 'readStop');
  if (typeof readStop !== 'function') return;
  Reflect.apply(readStop, handle, []);
  Reflect.set(handle, 'reading', false);
}
