import type { AddressInfo, Socket } from 'node:net';
import { type ErrorCode, problemOf, UsherError } from '@usher/domain';
import type { Log, Random } from '@usher/ports';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import {
  type AdminIdentity,
  type AdminRole,
  type AdminToken,
  allows,
  authenticator,
  isLoopback,
  networkList,
} from './admin-access.ts';
import { type HealthReport, healthStatusCode } from './health-report.ts';
import type { RunningServer } from './metrics-server.ts';
import { problemFor, sendProblem } from './problem-reply.ts';

const BODY_BYTES_MAX = 64 * 1024;
const HEADER_BYTES_MAX = 16 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const CONNECTIONS_MAX = 256;

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

export interface AdminServerOptions {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  /** Descriptor of a socket that listens there already; absent = it opens its own. */
  readonly socket?: number | undefined;
  /** Empty = no token needed, which is refused on any but a loopback address. */
  readonly tokens: readonly AdminToken[];
  /** Networks in CIDR notation that may connect; the address is the socket's, whatever headers say. */
  readonly allow: readonly string[];
  readonly log: Log;
  readonly random: Random;
  /** For `GET /v1/health`, which needs no token. */
  readonly health: () => HealthReport;
  /** Adds the routes. */
  readonly register: (app: FastifyInstance) => void;
}

/** Starts the admin server. Throws what listening throws, and on an empty token list for an address that others reach. */
export async function startAdminServer(options: AdminServerOptions): Promise<RunningServer> {
  const app = createAdminApp(options);
  const { host, port: asked, socket } = options;
  await app.listen({ host, port: asked, ...(socket === undefined ? {} : { fd: socket }) });
  return {
    host: options.host,
    port: (app.server.address() as AddressInfo).port,
    close: () => app.close(),
  };
}

/** The admin server before it listens: access, errors and health are in place. */
export function createAdminApp(options: AdminServerOptions): FastifyInstance {
  if (options.tokens.length === 0 && !isLoopback(options.host)) {
    throw new UsherError('invalid_input', `the admin server on ${options.host} needs at least one token`);
  }
  const app = Fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    genReqId: () => options.random.uuid(),
    http: { headersTimeout: HEADERS_TIMEOUT_MS, maxHeaderSize: HEADER_BYTES_MAX, keepAlive: true },
    clientErrorHandler: refuseUnreadable,
    // A path that cannot be decoded names nothing. No hook has run yet.
    frameworkErrors: (_error, request, reply) => {
      void sendProblem(reply.header('x-request-id', request.id), problemOf('not_found'));
    },
  });
  app.server.maxConnections = CONNECTIONS_MAX;
  acceptJsonOnly(app);
  answerErrors(app, options.log);
  guard(app, options);
  app.get('/v1/health', { config: { role: 'public' } }, (_request, reply) => {
    const report = options.health();
    return reply.code(healthStatusCode(report)).send(report);
  });
  options.register(app);
  return app;
}

/** Bodies are JSON or absent. Forms and plain text, which a page elsewhere could send without asking, are refused. */
function acceptJsonOnly(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null);
    else void parse(request, body, done);
  });
}

function answerErrors(app: FastifyInstance, log: Log): void {
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, problemOf('not_found')));
  app.setErrorHandler((error, request, reply) => {
    const problem = problemFor(error);
    if (problem.code === 'internal') {
      log.error('an admin request failed', {
        method: request.method,
        path: request.url,
        request: request.id,
        error,
      });
    }
    return sendProblem(reply, problem);
  });
}

function guard(app: FastifyInstance, { tokens, allow, log }: AdminServerOptions): void {
  const identify = authenticator(tokens);
  const mayConnect = networkList(allow);
  app.decorateRequest('identity', null);
  app.addHook('onRoute', (route) => {
    if (route.config?.role === undefined) throw new Error(`route ${route.url} declares no role`);
  });
  app.addHook('onRequest', (request, reply, done) => {
    void reply.headers({
      'x-request-id': request.id,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    try {
      if (!mayConnect(request.ip)) throw new UsherError('forbidden', 'This address may not connect');
      refuseForeignPages(request, tokens.length === 0);
      request.identity = identify(request.headers.authorization) ?? null;
      authorize(request);
      done();
    } catch (error) {
      log.warn('an admin request was refused', {
        address: request.ip,
        method: request.method,
        path: request.url,
        error: (error as Error).message,
      });
      done(error as Error);
    }
  });
}

/**
 * A browser on an allowed machine can be made to call us by any page it shows. Such a call names the page's own origin;
 * and where no token is asked for, a page whose name was pointed at this address after it was loaded is told apart by
 * the host it asks for.
 */
function refuseForeignPages(request: FastifyRequest, withoutTokens: boolean): void {
  const { origin, host = '' } = request.headers;
  if (origin !== undefined && origin.replace(/^https?:\/\//, '') !== host)
    throw new UsherError('forbidden', 'Pages of other origins may not call this');
  if (withoutTokens && !isLoopback(host))
    throw new UsherError('forbidden', 'Without tokens this answers to localhost and loopback addresses only');
}

function authorize(request: FastifyRequest): void {
  const needed = request.routeOptions.config.role ?? 'read';
  if (needed === 'public') return;
  if (request.identity === null) throw new UsherError('unauthorized');
  const { name, role } = request.identity;
  const { backend } = request.params as { readonly backend?: string };
  if (allows(request.identity, needed, backend)) return;
  const about = needed === 'agent' && role === 'agent' ? ' for this backend' : '';
  throw new UsherError('forbidden', `This needs the role ${needed}${about}; token ${name} has ${role}`);
}

/** What Node's parser gives up on has no request and no reply: the answer is written by hand. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const codes: Record<string, ErrorCode> = {
    HPE_HEADER_OVERFLOW: 'head_too_large',
    ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
  };
  const problem = problemOf(codes[error.code ?? ''] ?? 'bad_request');
  const body = JSON.stringify(problem);
  const head = `HTTP/1.1 ${problem.status} ${problem.title}\r\ncontent-type: application/problem+json`;
  socket.end(`${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`);
}
