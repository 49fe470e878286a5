import { REDACTED, tellsSecret } from '@usher/domain';

/** Deeper values are cut: a log line is no dump. */
const DEPTH_MAX = 4;
const ITEMS_MAX = 50;
/** `user:password@` in a URL; host names have no `@`. */
const URL_USERINFO = /\/\/[^\s/@]+@/g;

/** A text without the passwords of the URLs in it. */
export function withoutUserinfo(text: string): string {
  return text.includes('@') ? text.replace(URL_USERINFO, `//${REDACTED}@`) : text;
}

/** A copy that is safe to print: values under telling names and passwords in URLs are replaced, errors become plain. */
export function safeToPrint(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return withoutUserinfo(value);
  if (typeof value === 'bigint' || typeof value === 'symbol' || typeof value === 'function')
    return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEPTH_MAX) return '…';
  if (value instanceof Error) return plainError(value, depth);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Map) return safeToPrint(Object.fromEntries(value), depth);
  if (value instanceof Set) return safeToPrint([...value], depth);
  if (Array.isArray(value)) return value.slice(0, ITEMS_MAX).map((item) => safeToPrint(item, depth + 1));
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value).slice(0, ITEMS_MAX)) {
    copy[key] = tellsSecret(key) ? REDACTED : safeToPrint(item, depth + 1);
  }
  return copy;
}

function plainError(error: Error, depth: number): Record<string, unknown> {
  const plain: Record<string, unknown> = { type: error.name, message: withoutUserinfo(error.message) };
  if ('code' in error) plain['code'] = error.code;
  if (error.stack !== undefined) plain['stack'] = withoutUserinfo(error.stack);
  if (error.cause !== undefined) plain['cause'] = safeToPrint(error.cause, depth + 1);
  return plain;
}
