import type { Socket } from 'node:net';
import type { Visitor } from './visitor.ts';

/** A socket that is between two owners: it is paused, and `bytes` is what was read of it and not used. */
export interface LooseSocket {
  readonly socket: Socket;
  readonly bytes: Buffer;
}

/** A client's connection, as far as its lane has to do with it. */
export interface LaneConnection {
  /** For a drain: closes it as soon as there is no request on it. */
  closeIfIdle(): void;
  destroy(): void;
}

/** Told when a connection is no longer what it was. */
export interface ConnectionOwner {
  closed(connection: LaneConnection): void;
  /** Its client turns out to speak HTTP/2. */
  speaksHttp2(connection: LaneConnection, loose: LooseSocket, visitor: Visitor): void;
}
