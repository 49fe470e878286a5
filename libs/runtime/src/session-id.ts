import { hash } from 'node:crypto';
import { hashOf } from '@usher/domain';

/** By what a client is known. */
export type IdKind = 'header' | 'ip';

const SEEDS: Readonly<Record<IdKind, number>> = { header: 0x5bd1e995, ip: 0x1b873593 };
const HEX = 16;
const KEY_DIGITS = 8;
/** 132 bits. */
const DIGEST_LENGTH = 22;

/** Where to look for what is known of a client, the same in all gateways. */
export function keyOfClient(kind: IdKind, text: string, start = 0, end = text.length): number {
  return hashOf(text, start, end, SEEDS[kind]);
}

/**
 * Names the session of a client in the store and in the log: where to look for it, and a hash that stands for what the
 * client sent. That itself may be long, and may be a token that nobody else should see.
 */
export function sessionIdOf(kind: IdKind, text: string): string {
  const digest = hash('sha256', `${kind} ${text}`, 'base64url').slice(0, DIGEST_LENGTH);
  return `${keyOfClient(kind, text).toString(HEX).padStart(KEY_DIGITS, '0')}${digest}`;
}

/** Where to look for the session of this name. */
export function keyOfSession(session: string): number {
  return Number.parseInt(session.slice(0, KEY_DIGITS), HEX);
}

/** Where the session stands in the bytes that the value of a cookie is, and how long it is. */
export const COOKIE_SESSION = { at: 2, bytes: 12 } as const;

/** The session that the value of a cookie is of, whoever made that; undefined when it is none of ours by its form. */
export function sessionOfCookie(value: string): string | undefined {
  const bytes = Buffer.from(value, 'base64url');
  const { at, bytes: length } = COOKIE_SESSION;
  const isOurs = bytes.toString('base64url') === value && bytes.length > at + length;
  return isOurs ? bytes.toString('base64url', at, at + length) : undefined;
}
