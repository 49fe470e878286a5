import { isDeepStrictEqual } from 'node:util';
import { UsherError } from '@usher/domain';
import type { Clock, Log } from '@usher/ports';
import { type AdminToken, type Authenticator, authenticator } from './admin-access.ts';
import { AdminJwt, type AdminJwtSettings } from './admin-jwt.ts';
import { isLoopback, networkList } from './networks.ts';

/** Who may call, and from where. */
export interface AdminAccess {
  /** Who may call; with none and without `jwt` no token is needed, which is refused on any but a loopback address. */
  readonly tokens: readonly AdminToken[];
  /** Whose signed tokens are taken too. */
  readonly jwt?: AdminJwtSettings | undefined;
  /** Networks in CIDR notation that may connect. */
  readonly allow: readonly string[];
  /** Networks that may not connect, whatever `allow` says. Default none. */
  readonly deny?: readonly string[] | undefined;
  /** Peers whose X-Forwarded-For says who connects. Default none: the address is the socket's, whatever headers say. */
  readonly trustedProxies?: readonly string[] | undefined;
}

type AddressTest = (address: string | undefined) => boolean;

/** What requests are checked against. */
interface Checks {
  readonly authenticator: Authenticator;
  readonly isAllowed: AddressTest;
  readonly isDenied: AddressTest;
  readonly isTrusted: AddressTest;
}

/** Knows whom a server lets in, which may change while it runs: what has gone counts for no request that comes later. */
export class AdminGate {
  readonly #host: string;
  readonly #tools: { readonly clock: Clock; readonly log: Log };
  #access: AdminAccess;
  #jwt: AdminJwt | undefined;
  #checks: Checks;

  /** Throws as `admit` does. */
  constructor(
    host: string,
    access: AdminAccess,
    { clock, log }: { readonly clock: Clock; readonly log: Log },
  ) {
    this.#host = host;
    this.#tools = { clock, log };
    this.#refuseOpen(access);
    this.#access = access;
    this.#jwt = access.jwt && new AdminJwt(access.jwt, this.#tools);
    this.#checks = checksOf(access, this.#jwt);
  }

  get checks(): Checks {
    return this.#checks;
  }

  /** From now on others may call. Throws, with everything as it was, when anybody on other machines could. */
  admit(access: AdminAccess): void {
    const before = this.#access;
    if (isDeepStrictEqual(access, before)) return;
    this.#refuseOpen(access);
    // Keys that have been read stay as long as nothing is said of others.
    const isSame = isDeepStrictEqual(access.jwt, before.jwt);
    const jwt = isSame ? this.#jwt : access.jwt && new AdminJwt(access.jwt, this.#tools);
    this.#checks = checksOf(access, jwt);
    if (!isSame) this.#jwt?.stop();
    this.#jwt = jwt;
    this.#access = access;
    this.#tools.log.info('who may call has changed', {
      address: this.#host,
      ...changedNames(before.tokens, access.tokens),
      jwt: !isSame,
    });
  }

  stop(): void {
    this.#jwt?.stop();
  }

  #refuseOpen({ tokens, jwt }: AdminAccess): void {
    if (tokens.length === 0 && jwt === undefined && !isLoopback(this.#host))
      throw new UsherError('invalid_input', `the admin server on ${this.#host} needs at least one token`);
  }
}

function checksOf(
  { tokens, allow, deny = [], trustedProxies = [] }: AdminAccess,
  jwt: AdminJwt | undefined,
): Checks {
  return {
    authenticator: authenticator(tokens, jwt),
    isAllowed: networkList(allow),
    isDenied: networkList(deny),
    isTrusted: networkList(trustedProxies),
  };
}

/** Which tokens came, went, or are others under the same name; never a secret. */
function changedNames(before: readonly AdminToken[], after: readonly AdminToken[]) {
  const [came, went] = [newNames(before, after), newNames(after, before)];
  return {
    added: came.filter((name) => !went.includes(name)).join(','),
    changed: came.filter((name) => went.includes(name)).join(','),
    removed: went.filter((name) => !came.includes(name)).join(','),
  };
}

function newNames(before: readonly AdminToken[], after: readonly AdminToken[]): string[] {
  const isNew = (token: AdminToken) => !before.some((each) => isDeepStrictEqual(each, token));
  return after.filter(isNew).map(({ name }) => name);
}
