import { Socket } from 'node:net';
import type { ReadCallback } from '../tls/tls-socket.ts';

/**
 * Moves an accepted TCP connection to a socket that reads into buffers of ours, as `net.connect` offers for connections
 * it makes (`onread`). A server offers it in no documented way, so this relies on two things that Node's own modules
 * use: that a socket keeps its connection in `_handle`, and that a new socket accepts one as `handle`. It saves a tenth
 * of the cost of a request: an allocation, a tick and a pass through the stream machinery per read. Where either is
 * missing, or the connection is not plain TCP, the answer is undefined, `socket` is untouched and has to be read as a
 * stream. Otherwise `socket` is dead afterwards.
 */
export function adoptSocket(socket: Socket, buffer: () => Buffer, onRead: ReadCallback): Socket | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (!isPlainHandle(handle) || 'encrypted' in socket || socket.readableLength > 0) return undefined;
  const callback = (length: number, bytes: Uint8Array): boolean => onRead(length, bytes as Buffer);
  const adopted: unknown = Reflect.construct(Socket, [
    { handle, allowHalfOpen: true, onread: { buffer, callback } },
  ]);
  if (!(adopted instanceof Socket) || Reflect.get(adopted, '_handle') !== handle) return undefined;
  // The server counts its connections down through this; without it, it would never finish closing.
  Reflect.set(adopted, '_server', Reflect.get(socket, '_server'));
  Reflect.set(socket, '_server', null);
  Reflect.set(socket, '_handle', null);
  return adopted;
}

function isPlainHandle(handle: unknown): boolean {
  return typeof handle === 'object' && handle !== null && 'useUserBuffer' in handle && 'reading' in handle;
}
