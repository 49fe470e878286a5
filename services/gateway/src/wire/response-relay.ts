import {
  FAULTS,
  FAULTY,
  HeadBuffer,
  type HttpFault,
  INCOMPLETE,
  parseResponseHead,
  type ResponseHead,
} from '@usher/http1';
import type { RateTicket } from '../rate/rate-ticket.ts';
import type { HeaderEdits } from '../traffic/header-edits.ts';
import type { ClientSide } from './client-side.ts';
import type { Lifetime } from './read-buffers.ts';
import { ResponseBody } from './response-body.ts';
import { becomesWebSocket } from './websocket.ts';

/** What the bytes of a response amounted to. `surplus`: complete, but the backend sent more than that;
 * `switched`: the connection is a WebSocket from here on. */
export type RelayVerdict = 'more' | 'complete' | 'surplus' | 'bad';

/** A backend may send several informational responses (RFC 9110 section 15.2), but not without end. */
const INFORMATIONAL_MAX = 16;
const SWITCHING_PROTOCOLS = 101;
const HEAD_LIMITS = { headerBytes: 64 * 1024, headerCount: 256 };

/** Values of headers of ours; empty = the response has no such header. */
export interface OwnFields {
  readonly setCookie: string;
  /** See `DebugToken`. */
  readonly panic: string;
  /** The rate limit that the request was held to; undefined = none. */
  readonly rate: RateTicket | undefined;
  /** What the policy of its route changes; undefined = nothing. */
  readonly edits: HeaderEdits | undefined;
}

/** The request that a response answers, as far as the response depends on it. */
export interface Asked {
  readonly requestId: string;
  /** By HEAD: the response ends with its head. */
  readonly toHead: boolean;
  /** By a client of HTTP/1.0, which knows neither chunks nor informational responses. */
  readonly oldClient: boolean;
  /** More of the request is to come. */
  readonly wantsBody: boolean;
  /** Tells the values of headers that the final response gets from us, or empty ones. */
  readonly attempts: OwnFields;
}

/** Passes the response of one attempt on to the client: informational heads, the final head, the body. */
export class ResponseRelay {
  /** Of the final response; 0 before it. */
  status = 0;
  /** The backend keeps its connection open after this response. */
  persistent = false;
  /** Which rule a bad response broke. */
  fault: HttpFault = FAULTS.statusLine;
  /** Something was written to the client, so that this attempt cannot be followed by another. */
  visible = false;
  /** The backend switched to a WebSocket: what it has sent of that already. */
  beyond: Buffer | undefined;
  private readonly client: ClientSide;
  private readonly asked: Asked;
  private readonly head: ResponseHead;
  private partial: HeadBuffer | undefined;
  private informational = 0;
  private body: ResponseBody | undefined;

  /** `head`: scratch space, used only during calls. */
  constructor(client: ClientSide, asked: Asked, head: ResponseHead) {
    this.client = client;
    this.asked = asked;
    this.head = head;
  }

  /** No byte of a response has come. */
  get untouched(): boolean {
    return this.status === 0 && this.informational === 0 && this.partial === undefined;
  }

  /** The end of the backend's connection is the end of the response. */
  get endsWithConnection(): boolean {
    return this.body?.kind === 'close';
  }

  take(bytes: Buffer, length: number, lifetime: Lifetime): RelayVerdict {
    if (this.body !== undefined) return this.relayBody(this.body, bytes, length, lifetime);
    if (this.partial === undefined) return this.takeHeads(bytes, length, lifetime);
    const { partial } = this;
    partial.append(bytes.subarray(0, length));
    if (partial.findEnd() === INCOMPLETE && partial.length < HEAD_LIMITS.headerBytes) return 'more';
    this.partial = undefined;
    return this.takeHeads(partial.bytes, partial.length, 'ever');
  }

  private takeHeads(bytes: Buffer, length: number, lifetime: Lifetime): RelayVerdict {
    const { head, asked } = this;
    let view = bytes;
    let end = length;
    for (;;) {
      const headEnd = parseResponseHead(view, end, asked.toHead, HEAD_LIMITS, head);
      if (headEnd === FAULTY) return this.refuse(head.fault);
      if (headEnd === INCOMPLETE) {
        this.partial = new HeadBuffer();
        this.partial.append(view.subarray(0, end));
        this.partial.findEnd();
        return 'more';
      }
      if (head.status >= 200) return this.takeFinal(view, headEnd, end, lifetime);
      if (head.status === SWITCHING_PROTOCOLS && this.client.upgrading && becomesWebSocket(head)) {
        return this.relaySwitch(view.subarray(headEnd, end));
      }
      if (!this.relayInformational()) return this.refuse(FAULTS.informational);
      if (headEnd === end) return 'more';
      view = view.subarray(headEnd, end);
      end -= headEnd;
    }
  }

  private relayInformational(): boolean {
    const { head, asked } = this;
    if (head.status === SWITCHING_PROTOCOLS || ++this.informational > INFORMATIONAL_MAX) return false;
    if (asked.oldClient) return true;
    this.visible = true;
    this.client.answer.informational(head, asked);
    return true;
  }

  private relaySwitch(beyond: Buffer): RelayVerdict {
    const { head, asked } = this;
    this.status = head.status;
    this.visible = true;
    this.beyond = Buffer.from(beyond);
    this.client.answer.switching(head, asked);
    return 'complete';
  }

  private takeFinal(bytes: Buffer, headEnd: number, end: number, lifetime: Lifetime): RelayVerdict {
    const { head, asked, client } = this;
    const whole = head.body === 'none' || (head.body === 'length' && end - headEnd >= head.length);
    let bodyEnd = headEnd + head.length;
    let body: ResponseBody | undefined;
    if (!whole) {
      body = new ResponseBody(head, asked.oldClient || client.answer.uncoded);
      bodyEnd = body.take(bytes, headEnd, end);
      if (bodyEnd === FAULTY) return this.refuse(body.fault);
      this.body = body;
      if (body.decoded || body.kind === 'close') client.closeAfterwards();
    }
    // An answer before the end of the request: whether the client will send the rest is unknown, so nothing can follow.
    if (asked.wantsBody) client.closeAfterwards();
    this.status = head.status;
    this.persistent = head.persistent;
    this.visible = true;
    client.answer.final(head, asked, body, bytes, headEnd, bodyEnd, lifetime);
    if (!whole && body?.complete !== true) return 'more';
    return bodyEnd < end ? 'surplus' : 'complete';
  }

  private relayBody(body: ResponseBody, bytes: Buffer, end: number, lifetime: Lifetime): RelayVerdict {
    const to = body.take(bytes, 0, end);
    if (to === FAULTY) return this.refuse(body.fault);
    this.client.answer.part(body, bytes, 0, to, lifetime);
    if (!body.complete) return 'more';
    return to < end ? 'surplus' : 'complete';
  }

  private refuse(fault: HttpFault): RelayVerdict {
    this.fault = fault;
    return 'bad';
  }
}
