import { Socket } from 'node:net';
import { TLSSocket, type TLSSocketOptions } from 'node:tls';

/** Takes what a socket has read: `bytes[0..length)`, valid only during the call. False = read no more for now. */
export type ReadCallback = (length: number, bytes: Buffer) => boolean;

/**
 * Everything is decrypted into here, by the sockets of one thread in turn: what has been read is used up or copied before
 * the next read. A record of TLS carries no more than this (RFC 8446 section 5.1).
 */
const DECRYPTED = Buffer.allocUnsafeSlow(16 * 1024);

const baseWrapHandle: unknown = Reflect.get(TLSSocket.prototype, '_wrapHandle');
/** The connection that the socket under construction is for: Node's constructor asks for it before ours can store it. */
let wrapped: object | undefined;

/**
 * The server's end of a TLS connection that reads into a buffer of ours. Node offers that for connections that it makes
 * (`onread` of `tls.connect`), and a server gets it the same way once the socket is built on the accepted connection's
 * handle instead of on its socket. It relies on `_wrapHandle` being where Node builds it, and on `_handle`, `_parent` and
 * `connecting`; it saves an allocation, a tick and a pass through the stream machinery per read.
 */
class ReadingTlsSocket extends TLSSocket {
  /** A handshake yields no reads, so nothing comes before a lane has taken the connection. */
  onRead: ReadCallback = () => true;

  /** Called by Node's constructor. */
  _wrapHandle(_socket: unknown, _handle: unknown, busy: unknown): unknown {
    if (typeof baseWrapHandle !== 'function') throw new TypeError('TLSSocket has no _wrapHandle');
    return Reflect.apply(baseWrapHandle, this, [null, wrapped, busy]);
  }
}

/**
 * Puts the server's end of TLS on an accepted connection, which is dead afterwards. Where Node is not built as expected,
 * the result is a socket that has to be read as a stream. `first`: what has been read from the connection already.
 */
export function serveTls(
  accepted: Socket,
  options: TLSSocketOptions,
  first: Buffer = Buffer.alloc(0),
): TLSSocket {
  const handle: unknown = Reflect.get(accepted, '_handle');
  if (typeof handle !== 'object' || handle === null || typeof baseWrapHandle !== 'function') {
    if (first.length > 0) accepted.unshift(first);
    return new TLSSocket(accepted, { ...options, isServer: true });
  }
  const holder: { socket?: ReadingTlsSocket } = {};
  const callback = (length: number, bytes: Buffer): boolean => holder.socket!.onRead(length, bytes);
  wrapped = handle;
  const socket: unknown = Reflect.construct(ReadingTlsSocket, [
    undefined,
    { ...options, isServer: true, allowHalfOpen: true, onread: { buffer: DECRYPTED, callback } },
  ]);
  wrapped = undefined;
  if (!(socket instanceof ReadingTlsSocket)) throw new TypeError('a TLS socket was built as something else');
  holder.socket = socket;
  // Left to the server that there is none of here; who waits for it would wait for ever.
  socket.once('secure', () => Reflect.set(socket, 'secureConnecting', false));
  // A socket without another beneath it counts as one that is about to connect.
  Reflect.set(socket, 'connecting', false);
  // The server counts its connections down through this; without it, it would never finish closing.
  Reflect.set(socket, '_server', Reflect.get(accepted, '_server'));
  Reflect.set(accepted, '_server', null);
  Reflect.set(accepted, '_handle', null);
  // Once somebody listens to the socket, and before it reads anything else.
  if (first.length > 0) process.nextTick(receive, socket, first);
  return socket;
}

/** Takes bytes for read, as Node does with those that the socket beneath TLS had in its buffer. */
function receive(socket: TLSSocket, bytes: Buffer): void {
  const handle: unknown = Reflect.get(socket, '_handle');
  const take: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'receive') : null;
  if (typeof take === 'function') Reflect.apply(take, handle, [bytes]);
  else socket.destroy();
}

/** Gives what a TLS socket reads to `onRead`. False: it has to be read as a stream. */
export function readTls(socket: Socket, onRead: ReadCallback): boolean {
  if (!(socket instanceof ReadingTlsSocket)) return false;
  socket.onRead = onRead;
  return true;
}

/**
 * Ends a connection by a reset, so that the other end cannot take it for a regular end. Node resets plain connections
 * only; of one with TLS, the connection beneath it has to be reset when it is closed.
 */
export function resetSocket(socket: Socket): void {
  const handle: unknown = Reflect.get(socket, '_handle');
  const beneath: unknown =
    typeof handle === 'object' && handle !== null ? Reflect.get(handle, '_parent') : null;
  if (typeof beneath !== 'object' || beneath === null) {
    if (socket instanceof TLSSocket) socket.destroy();
    else socket.resetAndDestroy();
    return;
  }
  const reset: unknown = Reflect.get(beneath, 'reset');
  if (typeof reset === 'function') Reflect.set(beneath, 'close', reset);
  socket.destroy();
}

/** Whether the certificate that a client showed is one that the listener asked for; undefined without any. */
export function clientIsValid(socket: TLSSocket): boolean | undefined {
  if (socket.getPeerX509Certificate() === undefined) return undefined;
  const handle: unknown = Reflect.get(socket, '_handle');
  const verify: unknown =
    typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'verifyError') : null;
  if (typeof verify !== 'function') return false;
  const error: unknown = Reflect.apply(verify, handle, []);
  return error === null || error === undefined;
}
