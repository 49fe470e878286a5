import { STATUS_CODES } from 'node:http';
import { ERRORS, type ErrorCode, type ErrorKind, problemOf } from '@usher/domain';
import { type RateTicket, rateFields } from '../rate/rate-ticket.ts';
import { editFields, type Fields, type HeaderEdits, linesOf } from '../traffic/header-edits.ts';
import type { ConnectionLine } from './forward-response.ts';

const NO_CONTENT = 204;

/** What an answer of ours depends on besides what it says. */
export interface Answered {
  readonly requestId: string;
  /** The rate limit that the request was held to. */
  readonly rate?: RateTicket | undefined;
  /** What its route changes in all answers. */
  readonly edits?: HeaderEdits | undefined;
}

/** Why a request gets an answer of ours: an error, or only a status and headers. */
export class TurnedAway {
  /** Undefined for an answer without content. */
  readonly code: ErrorCode | undefined;
  readonly detail: string;
  readonly status: number;
  /** What the answer has beside what every one has. */
  readonly fields: Fields;

  constructor(code: ErrorCode | undefined, status: number, detail: string, fields: Fields) {
    this.code = code;
    this.status = status;
    this.detail = detail;
    this.fields = fields;
  }
}

export function turnedAway(code: ErrorCode, detail = '', fields: Fields = []): TurnedAway {
  return new TurnedAway(code, ERRORS[code].status, detail, fields);
}

/** An answer that no backend gave, as both versions of HTTP write it. */
export interface OwnAnswer {
  readonly status: number;
  readonly fields: Fields;
  readonly text: string;
}

export function ownAnswer({ code, status, detail, fields }: TurnedAway, answered: Answered): OwnAnswer {
  return code === undefined
    ? emptyAnswer(status, fields, answered)
    : problemAnswer(code, detail, answered, fields);
}

/** An error (RFC 9457). `more`: what it has besides. */
export function problemAnswer(
  code: ErrorCode,
  detail: string,
  { requestId, rate, edits }: Answered,
  more: Fields = [],
): OwnAnswer {
  const kind: ErrorKind = ERRORS[code];
  const text = JSON.stringify(problemOf(code, detail));
  const fields = ['content-type', 'application/problem+json', 'content-length', String(text.length)];
  fields.push('x-request-id', requestId);
  const retryAfterS = code === 'rate_limited' ? rate?.retryAfterS : kind.retryAfterS;
  if (retryAfterS !== undefined) fields.push('retry-after', String(retryAfterS));
  fields.push(...more, ...rateFields(rate));
  return { status: kind.status, fields: edits === undefined ? fields : editFields(fields, edits), text };
}

/** One without content. */
function emptyAnswer(status: number, more: Fields, { requestId, rate, edits }: Answered): OwnAnswer {
  const fields = [...(status === NO_CONTENT ? [] : ['content-length', '0']), 'x-request-id', requestId];
  fields.push(...more, ...rateFields(rate));
  return { status, fields: edits === undefined ? fields : editFields(fields, edits), text: '' };
}

/** An answer as HTTP/1.1 writes it, as latin1. `toHead`: it answers a HEAD request with the same head and no body. */
export function answerText(
  { status, fields, text }: OwnAnswer,
  connection: ConnectionLine,
  toHead: boolean,
): string {
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\n`;
  return `${head}${linesOf(fields)}${connection}\r\n${toHead ? '' : text}`;
}
