import type { ResponseHead } from '@usher/http1';
import type { Lifetime } from './read-buffers.ts';
import type { ResponseBody } from './response-body.ts';
import type { Asked } from './response-relay.ts';

/** The writing half of a client's side: puts responses into the form that the client speaks. */
export interface Answer {
  /** What was written last still waits; nothing more should be produced for it. */
  readonly blocked: boolean;
  /** What was given to it still waits where it was. */
  readonly queued: boolean;
  /** The client knows no transfer codings, whatever its request says. */
  readonly uncoded: boolean;
  /** Passes on a head with a status below 200. */
  informational(head: ResponseHead, asked: Asked): void;
  /** Passes on a 101, after which the connection is a WebSocket. */
  switching(head: ResponseHead, asked: Asked): void;
  /** Passes on the final head with the part of the body that is there; without `body` that part is all of it. */
  final(
    head: ResponseHead,
    asked: Asked,
    body: ResponseBody | undefined,
    bytes: Buffer,
    start: number,
    end: number,
    lifetime: Lifetime,
  ): void;
  /** Passes on the next part of the body. */
  part(body: ResponseBody, bytes: Buffer, start: number, end: number, lifetime: Lifetime): void;
}
