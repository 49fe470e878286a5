import { createHash, timingSafeEqual } from 'node:crypto';
import type { AdminJwt } from './admin-jwt.ts';

/** What a caller of the admin API may do; each of these roles may do what those before it may. */
const ROLES = ['read', 'operate', 'admin'] as const;
/** An `agent` speaks for one backend and may do nothing else. */
export type AdminRole = (typeof ROLES)[number] | 'agent';

export interface AdminToken {
  readonly name: string;
  readonly secret: string;
  readonly role: AdminRole;
  /** The backend that an `agent` speaks for; nothing for others. */
  readonly backend?: string | undefined;
}

/** Who a caller is: the name of the token it showed. */
export interface AdminIdentity {
  readonly name: string;
  readonly role: AdminRole;
  readonly backend?: string | undefined;
}

/** Who everybody is when no tokens are configured, which loopback addresses may do. */
const LOCAL: AdminIdentity = { name: 'local', role: 'admin' };

/** Whether a caller may do what needs a role. What needs `agent` is about one backend, and operators may do it too. */
export function allows(identity: AdminIdentity, needed: AdminRole, backend: string | undefined): boolean {
  const { role } = identity;
  if (role === 'agent') return needed === 'agent' && backend !== undefined && identity.backend === backend;
  return ROLES.indexOf(role) >= ROLES.indexOf(needed === 'agent' ? 'operate' : needed);
}

/** Who calls, or why nobody knows. */
export type Identified =
  | { readonly identity: AdminIdentity }
  | { readonly refused: 'no_token' | 'wrong_token' | 'expired_token' };

/** The header fields that a caller can show a token in. */
interface ShownFields {
  readonly authorization?: string | undefined;
  readonly 'x-api-key'?: string | readonly string[] | undefined;
}

/** How it is known who calls. */
export interface Authenticator {
  /** Everybody is let in. */
  readonly open: boolean;
  identify(fields: ShownFields): Promise<Identified>;
}

/** Knows callers by tokens and by what an issuer signs. Without either, everybody is who may do everything. */
export function authenticator(tokens: readonly AdminToken[], jwt: AdminJwt | undefined): Authenticator {
  if (tokens.length === 0 && jwt === undefined)
    return { open: true, identify: async () => ({ identity: LOCAL }) };
  const whose = secretFinder(tokens.map(({ secret, ...identity }) => ({ secret, whose: identity })));
  return {
    open: false,
    async identify(fields) {
      const shown = shownToken(fields);
      if (shown === undefined) return { refused: 'no_token' };
      const identity = whose(shown);
      if (identity !== undefined) return { identity };
      return jwt === undefined ? { refused: 'wrong_token' } : await jwt.identify(shown);
    },
  };
}

/** As a bearer (RFC 6750 section 2.1) or as an API key; who shows both may mean either. */
function shownToken({ authorization, 'x-api-key': key }: ShownFields): string | undefined {
  if (authorization === undefined) return typeof key === 'string' && key !== '' ? key : undefined;
  return key === undefined ? /^Bearer +(\S+) *$/i.exec(authorization)?.[1] : undefined;
}

/** Answers whose secret it is that was shown, undefined for nobody's. The time that it takes tells nothing about any. */
export function secretFinder<T>(
  secrets: readonly { readonly secret: string; readonly whose: T }[],
): (shown: string) => T | undefined {
  return hashFinder(secrets.map(({ secret, whose }) => ({ whose, hash: sha256(secret) })));
}

/** The same where only the SHA-256 of each secret is known. */
export function hashFinder<T>(
  known: readonly { readonly hash: Uint8Array; readonly whose: T }[],
): (shown: string) => T | undefined {
  return (shown) => {
    const hash = sha256(shown);
    // Every secret is compared, whole, whichever fits.
    let found: T | undefined;
    for (const each of known) if (timingSafeEqual(each.hash, hash)) found = each.whose;
    return found;
  };
}

/** Equal lengths for `timingSafeEqual`, and no secret is kept in memory longer than needed. */
function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
