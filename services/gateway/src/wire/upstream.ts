import type { AttemptOutcome, Endpoint } from '../routing-table.ts';
import type { ConnectLoss } from './dialler.ts';
import type { Lifetime } from './read-buffers.ts';

/** Why the way to a backend was lost while a request used it. */
export type Loss = ConnectLoss | 'backend_closed';

/** The request that is on its way to a backend. */
export interface UpstreamUser {
  onConnected(): void;
  onResponseData(bytes: Buffer, length: number, lifetime: Lifetime): void;
  /** The backend will send nothing more. */
  onResponseEnd(): void;
  /** `unprocessed`: the backend has said that it did nothing with the request. */
  onLost(loss: Loss, unprocessed: boolean): void;
  /** What was written has left; more may be written. */
  onUpstreamUnblocked(): void;
}

/** Takes a request as HTTP/1.1 writes it. */
export interface RequestOutput {
  /** What was written last still waits; nothing more should be produced for it. */
  readonly blocked: boolean;
  /** The backend may say that it did nothing with a request that was sent: even one that must not happen twice goes on then. */
  readonly refusable: boolean;
  /** A head without a body. */
  text(head: string): void;
  /** A head, and what is there of the body. */
  headAndPieces(head: string, pieces: readonly Buffer[], length: number): void;
  /** A part of the body. */
  part(bytes: Buffer, start: number, end: number, lifetime: Lifetime): void;
}

/** The way of one request to a backend. */
export interface Upstream {
  readonly endpoint: Endpoint;
  readonly output: RequestOutput;
  /** Its connection served a request before: the backend may have closed it at the very moment it is used again. */
  readonly reused: boolean;
  /** Nothing keeps its connection from serving another request. */
  readonly isReusable: boolean;
  pause(): void;
  resume(): void;
  /** The request is done and the connection can serve another. `queued`: bytes of its buffer still wait to be written. */
  release(idleUntilMs: number, queued: boolean): void;
  /** Gives it up at once; nobody is told. `outcome`: of the attempt that ended with that. */
  destroy(outcome?: AttemptOutcome): void;
}

/** The ways to all backends of one kind. */
export interface Upstreams {
  /** A way over a connection that stands; undefined when there is none. */
  take(endpoint: Endpoint, user: UpstreamUser): Upstream | undefined;
  /** A way over a new connection that begins with `preface`, latin1; the user hears of it when it stands. */
  open(endpoint: Endpoint, user: UpstreamUser, connectBeforeMs: number, preface: string): Upstream;
}
