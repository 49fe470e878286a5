import { ERRORS, type ErrorCode, type ErrorKind, problemOf } from '@usher/domain';
import type { FieldList } from './response-fields.ts';

/** An error answer (RFC 9457) as HTTP/2 writes it. */
export function problemFields(
  code: ErrorCode,
  detail: string,
  requestId: string,
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
  if (kind.retryAfterS !== undefined) fields.push('retry-after', String(kind.retryAfterS));
  return { fields, text };
}
