import { STATUS_CODES } from 'node:http';
import { ERRORS, type ErrorCode, type ErrorKind, problemOf } from '@usher/domain';
import { type RateTicket, rateLines } from '../rate/rate-ticket.ts';
import type { ConnectionLine } from './forward-response.ts';

/** What an error answer depends on besides the error. */
export interface ProblemContext {
  readonly requestId: string;
  readonly connection: ConnectionLine;
  /** It answers a HEAD request: the same head, no body. */
  readonly toHead: boolean;
  /** The rate limit that the request was held to. */
  readonly rate?: RateTicket | undefined;
}

/** A whole error answer (RFC 9457), ready to be written as latin1. */
export function problemResponse(code: ErrorCode, detail: string, context: ProblemContext): string {
  const kind: ErrorKind = ERRORS[code];
  const body = JSON.stringify(problemOf(code, detail));
  const lines = [
    `HTTP/1.1 ${kind.status} ${STATUS_CODES[kind.status] ?? 'Error'}`,
    'content-type: application/problem+json',
    `content-length: ${body.length}`,
    `x-request-id: ${context.requestId}`,
  ];
  const retryAfterS = code === 'rate_limited' ? context.rate?.retryAfterS : kind.retryAfterS;
  if (retryAfterS !== undefined) lines.push(`retry-after: ${retryAfterS}`);
  return `${lines.join('\r\n')}\r\n${rateLines(context.rate)}${context.connection}\r\n${context.toHead ? '' : body}`;
}
