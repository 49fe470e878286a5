import { ERRORS, type ErrorCode, type ErrorKind, problemOf } from '@usher/domain';
import { type RateTicket, rateFields } from '../rate/rate-ticket.ts';
import type { FieldList } from './response-fields.ts';

/** An error answer (RFC 9457) as HTTP/2 writes it. */
export function problemFields(
  code: ErrorCode,
  detail: string,
  requestId: string,
  rate?: RateTicket,
): { readonly fields: FieldList; readonly text: string } {
  const kind: ErrorKind = ERRORS[code];
  const text = JSON.stringify(problemOf(code, detail));
  const fields: FieldList = [
    ':status',
    String(kind.status),
    'content-type',
    'application/problem+json',
    'content-length',
    String(text.length),
    'x-request-id',
    requestId,
  ];
  const retryAfterS = code === 'rate_limited' ? rate?.retryAfterS : kind.retryAfterS;
  if (retryAfterS !== undefined) fields.push('retry-after', String(retryAfterS));
  fields.push(...rateFields(rate));
  return { fields, text };
}
