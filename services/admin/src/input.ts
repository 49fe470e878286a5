import { UsherError } from '@usher/domain';

/** Reading what callers send. Whatever cannot be meant is `invalid_input`, with words that say what is expected. */

/** The query's parameters, each given once and each among `known`. */
export function readQuery<K extends string>(query: unknown, known: readonly K[]): Partial<Record<K, string>> {
  const read: Partial<Record<K, string>> = {};
  for (const [name, value] of Object.entries(query as Record<string, unknown>)) {
    const key = known.find((candidate) => candidate === name);
    if (key === undefined)
      throw new UsherError('invalid_input', `Unknown query parameter ${name}${listed(known)}`);
    if (typeof value !== 'string') throw new UsherError('invalid_input', `${name} is given more than once`);
    read[key] = value;
  }
  return read;
}

function listed(known: readonly string[]): string {
  return known.length === 0 ? '' : `; known: ${known.join(', ')}`;
}

export function readWholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new UsherError('invalid_input', `${name} must be a whole number, not ${JSON.stringify(text)}`);
  return value;
}

export function readFlag(name: string, text: string): boolean {
  if (text === 'true' || text === '1' || text === '') return true;
  if (text === 'false' || text === '0') return false;
  throw new UsherError('invalid_input', `${name} must be true or false, not ${JSON.stringify(text)}`);
}

/** A body that is a JSON object; none at all counts as an empty one. */
export function readObject(body: unknown): Record<string, unknown> {
  if (body === undefined) return {};
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new UsherError('invalid_input', 'The body must be a JSON object');
  return body as Record<string, unknown>;
}

/** The revision in an If-Match header: `"12"`. Undefined for none and for `*`, which any revision matches. */
export function readIfMatch(header: string | undefined): number | undefined {
  if (header === undefined || header.trim() === '*') return undefined;
  const revision = /^\s*"(\d{1,15})"\s*$/.exec(header)?.[1];
  if (revision === undefined)
    throw new UsherError('invalid_input', 'If-Match must be one revision in quotes, as in "12"');
  return Number(revision);
}
