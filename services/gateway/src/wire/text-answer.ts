import type { ResponseHead } from '@usher/http1';
import type { Answer } from './answer.ts';
import type { ClientSide } from './client-side.ts';
import { forwardResponseHead } from './forward-response.ts';
import type { Output } from './output.ts';
import type { Lifetime } from './read-buffers.ts';
import type { ResponseBody } from './response-body.ts';
import type { Asked } from './response-relay.ts';
import { UPGRADE_LINES } from './websocket.ts';

/** Responses as HTTP/1.1 writes them. */
export class TextAnswer implements Answer {
  readonly uncoded = false;
  private readonly client: ClientSide;
  private readonly output: Output;

  constructor(client: ClientSide, output: Output) {
    this.client = client;
    this.output = output;
  }

  get blocked(): boolean {
    return this.output.blocked;
  }

  get queued(): boolean {
    return this.output.queued;
  }

  informational(head: ResponseHead, asked: Asked): void {
    this.output.text(forwardResponseHead(head, asked.requestId, '', false));
  }

  switching(head: ResponseHead, asked: Asked): void {
    // Nothing of a page belongs into the head of a WebSocket.
    const { setCookie, panic, rate } = asked.attempts;
    const own = { setCookie, panic, rate, edits: undefined };
    this.output.text(forwardResponseHead(head, asked.requestId, UPGRADE_LINES, false, own));
  }

  final(
    head: ResponseHead,
    asked: Asked,
    body: ResponseBody | undefined,
    bytes: Buffer,
    start: number,
    end: number,
    lifetime: Lifetime,
  ): void {
    const text = forwardResponseHead(
      head,
      asked.requestId,
      this.client.connectionLine,
      asked.oldClient,
      asked.attempts,
    );
    if (body?.decoded === true) {
      this.output.text(text);
      this.decoded(body);
    } else {
      this.output.headAndPart(text, bytes, start, end, lifetime);
    }
  }

  part(body: ResponseBody, bytes: Buffer, start: number, end: number, lifetime: Lifetime): void {
    if (body.decoded) this.decoded(body);
    else this.output.part(bytes, start, end, lifetime);
  }

  private decoded(body: ResponseBody): void {
    const payload = body.takeDecoded();
    if (payload.length > 0) this.output.bytes(payload);
  }
}
