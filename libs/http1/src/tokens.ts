import { CHAR, CLASS_OF } from './chars.ts';

/** Whether `text` is a token (RFC 9110 section 5.6.2) of at most `lengthMax` characters. */
export function isToken(text: string, lengthMax: number): boolean {
  if (text.length === 0 || text.length > lengthMax) return false;
  for (let i = 0; i < text.length; i++) {
    if ((CLASS_OF[text.charCodeAt(i)] ?? 0) & CHAR.token) continue;
    return false;
  }
  return true;
}

const IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']);

/** Whether sending a request with this method twice has the same effect as sending it once, RFC 9110 section 9.2.2. */
export function isIdempotent(method: string): boolean {
  return method === 'GET' || IDEMPOTENT.has(method);
}
