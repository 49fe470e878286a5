import type { ErrorCode } from '@usher/domain';
import type { Hold } from '../routing-table.ts';
import type { Answer } from './answer.ts';
import type { ConnectionLine } from './forward-response.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

/** The client connection as one request on it sees it. */
export interface ClientSide {
  readonly answer: Answer;
  /** What a response to the current request says about the connection. */
  readonly connectionLine: ConnectionLine;
  /** The current request is for a WebSocket. */
  readonly upgrading: boolean;
  /** The connection closes after the current response. */
  closeAfterwards(): void;
  /** Moves the time at which the exchange's `expire` is called; Infinity = never. */
  expireAt(dueMs: number): void;
  pauseBody(): void;
  resumeBody(): void;
  /** The response is written: the exchange is done with the connection. */
  exchangeOver(nowMs: number): void;
  /** The exchange ends with an error answer; nothing of a final response was written. */
  exchangeFailed(code: ErrorCode, detail: string, nowMs: number): void;
  /** The response was 101 and is written: the connection belongs to whoever follows, and so do `upstream` and its `hold`. */
  switchTo(upstream: UpstreamConnection, beyond: Buffer, hold: Hold): void;
  /** The exchange ends in a way that the client must not take for the end of a response. */
  abort(): void;
}
