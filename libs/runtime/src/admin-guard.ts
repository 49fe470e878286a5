import { type RefusalCause, UsherError } from '@usher/domain';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type AdminIdentity, type AdminRole, allows } from './admin-access.ts';
import type { AdminGate } from './admin-gate.ts';
import type { RequestRates } from './admin-limits.ts';
import type { RefusalBook } from './admin-refusals.ts';
import { clientAddress, isLoopback } from './networks.ts';
import { pathOf } from './problem-reply.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * The least role that may call the route; `public`: whoever may connect; `agent`: the agent of the backend that the
     * path's parameter `backend` names, and operators. Every route of the admin server has one.
     */
    role?: AdminRole | 'public';
  }
  interface FastifyRequest {
    /** Who calls. On `public` routes nobody asked, so it is null. */
    identity: AdminIdentity | null;
  }
}

export interface GuardOptions {
  readonly gate: AdminGate;
  readonly rates: RequestRates;
  readonly refusals: RefusalBook;
}

/**
 * RFC 9112 section 3.2. Of several lines Node shows the first, or all as one; who checked another has not checked that, and
 * who sends one of two ids again has sent another command.
 */
const ONCE = ['host', 'authorization', 'x-api-key', 'idempotency-key'];

/** An error with the cause that it is counted under. */
class Refused extends UsherError {
  readonly why: RefusalCause;

  constructor(why: RefusalCause, detail = '') {
    super(CODES[why], detail);
    this.why = why;
  }
}

const CODES = {
  address: 'forbidden',
  connections: 'too_many_connections',
  rate: 'rate_limited',
  origin: 'forbidden',
  host: 'forbidden',
  no_token: 'unauthorized',
  wrong_token: 'unauthorized',
  expired_token: 'unauthorized',
  role: 'forbidden',
  certificate: 'forbidden',
  unreadable: 'bad_request',
} as const satisfies Record<RefusalCause, string>;

/** Lets nobody through whom the options keep out, and to no route that their role does not suffice for. */
export function guard(app: FastifyInstance, options: GuardOptions): void {
  const { gate, rates, refusals } = options;
  const check = async (request: FastifyRequest, address: string | undefined): Promise<void> => {
    const { authenticator, isAllowed, isDenied, isTrusted } = gate.checks;
    // What is no address is in no network.
    if (address === undefined || isDenied(address) || !isAllowed(address))
      throw new Refused('address', 'This address may not connect');
    if (!rates.take(address)) throw new Refused('rate');
    for (const name of ONCE)
      if (linesOf(request, name) > 1) throw new Refused('unreadable', `${name} is given more than once`);
    refuseForeignPages(request, authenticator.open);
    if (authenticator.open && isPassedOn(request) && !isTrusted(request.ip))
      throw new Refused('host', 'Without tokens this answers to nobody for whom a proxy asks');
    if (needed(request) === 'public') return;
    const identified = await authenticator.identify(request.headers);
    if ('refused' in identified)
      throw new Refused(
        identified.refused,
        identified.refused === 'expired_token' ? 'The token is over' : '',
      );
    request.identity = identified.identity;
    authorize(request, identified.identity);
  };

  app.decorateRequest('identity', null);
  app.addHook('onRoute', (route) => {
    if (route.config?.role === undefined) throw new Error(`route ${route.url} declares no role`);
  });
  app.addHook('onRequest', async (request, reply) => {
    void reply.headers({
      'x-request-id': request.id,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    const { 'x-forwarded-for': forwarded } = request.headers;
    const forwardedFor = typeof forwarded === 'string' ? forwarded : forwarded?.join();
    const address = clientAddress(request.ip, forwardedFor, gate.checks.isTrusted);
    try {
      await check(request, address);
    } catch (error) {
      if (error instanceof Refused) {
        const refusal = { cause: error.why, address: address ?? 'unknown', who: request.identity?.name };
        refusals.note(refusal, { method: request.method, path: pathOf(request), error: error.message });
        // Who is kept out as such need not keep a connection.
        if (error.why === 'address' || error.why === 'rate') void reply.header('connection', 'close');
      }
      throw error;
    }
  });
}

/**
 * A browser on an allowed machine can be made to call us by any page it shows. Such a call names the page's own origin;
 * and where no token is asked for, a page whose name was pointed at this address after it was loaded is told apart by
 * the host it asks for.
 */
function refuseForeignPages({ headers }: FastifyRequest, withoutTokens: boolean): void {
  const { origin, host = '' } = headers;
  if (origin !== undefined && origin.replace(/^https?:\/\//, '') !== host)
    throw new Refused('origin', 'Pages of other origins may not call this');
  if (withoutTokens && !isLoopback(host))
    throw new Refused('host', 'Without tokens this answers to localhost and loopback addresses only');
}

/** A proxy asks, a gateway of ours for instance, which has been given this address as that of a backend. */
function isPassedOn({ headers }: FastifyRequest): boolean {
  return headers['x-forwarded-for'] !== undefined || headers['forwarded'] !== undefined;
}

function linesOf({ raw: { rawHeaders } }: FastifyRequest, name: string): number {
  return rawHeaders.filter((text, at) => at % 2 === 0 && text.toLowerCase() === name).length;
}

function needed({ routeOptions }: FastifyRequest): AdminRole | 'public' {
  return routeOptions.config.role ?? 'read';
}

function authorize(request: FastifyRequest, identity: AdminIdentity): void {
  const role = needed(request);
  const { backend } = request.params as { readonly backend?: string };
  if (role === 'public' || allows(identity, role, backend)) return;
  const about = role === 'agent' && identity.role === 'agent' ? ' for this backend' : '';
  const { name } = identity;
  throw new Refused('role', `This needs the role ${role}${about}; token ${name} has ${identity.role}`);
}
