import type { Clock, Log } from '@usher/ports';
import type { AdminIdentity, Identified } from './admin-access.ts';
import { type JwtSettings, JwtVerifier } from './jwt/verifier.ts';

/** Roles that a token may give, the greatest first. An `agent` needs a token of its own. */
const ROLES = ['admin', 'operate', 'read'] as const;
/** A name is written into events and lines of the log. */
const SUBJECT = /^[!-~]{1,128}$/;

export interface AdminJwtSettings extends JwtSettings {
  /** The claim with the role, or with a list that has it. */
  readonly roleClaim: string;
}

/** Knows callers by tokens that an issuer has signed. */
export class AdminJwt {
  readonly #verifier: JwtVerifier;
  readonly #roleClaim: string;

  constructor(settings: AdminJwtSettings, tools: { readonly clock: Clock; readonly log: Log }) {
    this.#verifier = new JwtVerifier(settings, tools);
    this.#roleClaim = settings.roleClaim;
  }

  stop(): void {
    this.#verifier.stop();
  }

  async identify(token: string): Promise<Identified> {
    const verdict = await this.#verifier.verify(token);
    if (!verdict.ok) return { refused: verdict.fault === 'expired' ? 'expired_token' : 'wrong_token' };
    const identity = this.#identityOf(verdict.claims);
    return identity === undefined ? { refused: 'wrong_token' } : { identity };
  }

  /** The name cannot be that of a configured token. */
  #identityOf(claims: ReadonlyMap<string, unknown>): AdminIdentity | undefined {
    const subject = claims.get('sub');
    const given = claims.get(this.#roleClaim);
    const roles: readonly unknown[] = Array.isArray(given) ? given : [given];
    const role = ROLES.find((each) => roles.includes(each));
    if (role === undefined || typeof subject !== 'string' || !SUBJECT.test(subject)) return undefined;
    return { name: `jwt:${subject}`, role };
  }
}
