import { createServer as createPlainServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type AdminRefusals, type ErrorCode, problemOf, type RefusalCause, UsherError } from '@usher/domain';
import type { Clock, Log, Random, TlsSource } from '@usher/ports';
import Fastify, { type FastifyInstance } from 'fastify';
import { type AdminAccess, AdminGate } from './admin-gate.ts';
import { guard } from './admin-guard.ts';
import { type AdminLimits, OpenConnections, RequestRates } from './admin-limits.ts';
import { RefusalBook } from './admin-refusals.ts';
import { createTlsServer } from './admin-tls.ts';
import { allowedMethods } from './allowed-methods.ts';
import { type DocumentedRoute, type OpenApi, openApi } from './api/open-api.ts';
import { DOCUMENT, HEALTH } from './api/own-docs.ts';
import { type HealthReport, healthStatusCode } from './health-report.ts';
import type { RunningServer } from './metrics-server.ts';
import { plainAddress } from './networks.ts';
import { pathOf, problemFor, sendProblem } from './problem-reply.ts';

const REQUEST_TIMEOUT_MS = 30_000;
const HTTP_OPTIONS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: REQUEST_TIMEOUT_MS,
  keepAliveTimeout: 75_000,
  // How often it is looked whether somebody took too long.
  connectionsCheckingInterval: 2_000,
  keepAlive: true,
};
/** What every caller together, and each address, may take unless that is set otherwise. */
const LIMITS: AdminLimits = {
  bodyBytes: 64 * 1024,
  connections: 256,
  connectionsPerIp: 64,
  requestsPerS: 500,
};

export interface AdminServerOptions extends AdminAccess {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  /** Descriptor of a socket that listens there already; absent = it opens its own. */
  readonly socket?: number | undefined;
  /** Default: bodies of 64 KiB, 256 connections, 64 of one address, 500 requests a second of one address. */
  readonly limits?: AdminLimits | undefined;
  /**
   * Bodies are read as JSON whatever their Content-Type says, from callers that have shown a token, which no page elsewhere can make a
   * browser do. Default: they have to say that they are JSON, as they do without tokens in any case.
   */
  readonly anyContentType?: boolean | undefined;
  /** Left out, it speaks plain HTTP. */
  readonly tls?: TlsSource | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  /** For `GET /v1/health`, which needs no token. */
  readonly health: () => HealthReport;
  /** Hears what was refused, summed up; false: it cannot take that now. Default: nobody does. */
  readonly onRefusals?: ((refusals: AdminRefusals) => boolean) | undefined;
  /** Adds the routes. */
  readonly register: (app: FastifyInstance) => void;
}

/** One that can be told while it runs who may call from now on. */
export interface AdminServer extends RunningServer {
  /** Throws, with everything as it was, when it would need no token on an address that others reach. */
  admit(access: AdminAccess): void;
}

/** Starts the admin server. Throws what listening throws, and on an address that others reach if it needs no token. */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const gate = gateOf(options);
  const app = appBehind(gate, options);
  const { host, port: asked, socket } = options;
  await app.listen({ host, port: asked, ...(socket === undefined ? {} : { fd: socket }) });
  return {
    host: options.host,
    port: (app.server.address() as AddressInfo).port,
    close: () => app.close(),
    admit: (access) => gate.admit(access),
  };
}

/** The admin server before it listens: access, errors and health are in place. */
export function createAdminApp(options: AdminServerOptions): FastifyInstance {
  return appBehind(gateOf(options), options);
}

function gateOf({
  host,
  tokens,
  jwt,
  allow,
  deny,
  trustedProxies,
  clock,
  log,
}: AdminServerOptions): AdminGate {
  return new AdminGate(host, { tokens, jwt, allow, deny, trustedProxies }, { clock, log });
}

function appBehind(gate: AdminGate, options: AdminServerOptions): FastifyInstance {
  const { limits = LIMITS, clock, log, random } = options;
  const refusals = new RefusalBook({ clock, log, tell: options.onRefusals ?? (() => true) });
  const app = Fastify({
    logger: false,
    bodyLimit: limits.bodyBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    genReqId: () => random.uuid(),
    serverFactory: (listener) => createServer(options, refusals, listener),
    // A path that cannot be decoded names nothing. No hook has run yet.
    frameworkErrors: (_error, request, reply) => {
      void sendProblem(reply.header('x-request-id', request.id), problemOf('not_found'));
    },
  });
  limitConnections(app.server, limits, refusals);
  app.addHook('onClose', () => {
    gate.stop();
    refusals.stop();
  });
  acceptJson(app);
  if (options.anyContentType === true) acceptAnyType(app, gate);
  answerErrors(app, log);
  const rates = new RequestRates(limits.requestsPerS, clock);
  guard(app, { gate, rates, refusals });
  serveDocument(app);
  app.get('/v1/health', HEALTH, (_request, reply) => {
    const report = options.health();
    return reply.code(healthStatusCode(report)).send(report);
  });
  options.register(app);
  return app;
}

/** Adds the document of all routes that are added from now on, itself included. */
function serveDocument(app: FastifyInstance): void {
  const routes: DocumentedRoute[] = [];
  let document: OpenApi | undefined;
  app.addHook('onRoute', ({ method, url, config }) => {
    const { role, about } = config ?? {};
    // Fastify answers HEAD wherever it answers GET.
    if (role === undefined || about === undefined || method === 'HEAD') return;
    for (const each of [method].flat()) routes.push({ method: each, url, role, about });
  });
  app.get('/v1/openapi.json', DOCUMENT, () => (document ??= openApi(routes)));
}

function createServer(
  { tls: source, clock, log }: AdminServerOptions,
  refusals: RefusalBook,
  listener: RequestListener,
): Server {
  const refuse = (cause: RefusalCause, address: string | undefined, error: string) =>
    refusals.note({ cause, address: plainAddress(address) ?? 'unknown' }, { error });
  const refused = (address: string | undefined, error: string) => refuse('certificate', address, error);
  const server =
    source === undefined
      ? createPlainServer(HTTP_OPTIONS, listener)
      : createTlsServer({ source, clock, log, refused }, listener, HTTP_OPTIONS);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const { remoteAddress } = socket;
    if (refuseUnreadable(error, socket)) refuse('unreadable', remoteAddress, error.code ?? error.message);
  });
  return server;
}

/** Of all callers together, and of each address, so that nobody can keep the others out. */
function limitConnections(server: Server, limits: AdminLimits, refusals: RefusalBook): void {
  server.maxConnections = limits.connections;
  const open = new OpenConnections(limits.connectionsPerIp);
  server.on('connection', (socket: Socket) => {
    const address = plainAddress(socket.remoteAddress) ?? 'unknown';
    if (open.enter(address)) {
      socket.once('close', () => open.leave(address));
      return;
    }
    refusals.note({ cause: 'connections', address });
    socket.destroy();
  });
}

/** Bodies are JSON or absent. Of another type, such as forms, which a page elsewhere could send without asking, they are refused. */
function acceptJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null);
    else void parse(request, body, done);
  });
}

/** Reads them as JSON for as long as callers have to show a token. */
function acceptAnyType(app: FastifyInstance, gate: AdminGate): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser<string>('*', { parseAs: 'string' }, (request, body, done) => {
    if (gate.checks.authenticator.open)
      done(new UsherError('invalid_input', 'Send the body as application/json'));
    else if (body === '') done(null);
    else void parse(request, body, done);
  });
}

function answerErrors(app: FastifyInstance, log: Log): void {
  const methodsOf = allowedMethods(app);
  app.setNotFoundHandler((request, reply) => {
    const methods = methodsOf(pathOf(request));
    if (methods === undefined) return sendProblem(reply, problemOf('not_found'));
    return sendProblem(reply.header('allow', methods), problemOf('method_not_allowed'));
  });
  app.setErrorHandler((error, request, reply) => {
    const problem = problemFor(error);
    if (problem.code === 'internal') {
      log.error('an admin request failed', {
        method: request.method,
        path: pathOf(request),
        request: request.id,
        error,
      });
    }
    return sendProblem(reply, problem);
  });
}

/** What Node's parser gives up on has no request and no reply: the answer is written by hand. False: nobody is there for one. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): boolean {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return false;
  }
  const codes: Record<string, ErrorCode> = {
    HPE_HEADER_OVERFLOW: 'head_too_large',
    ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
  };
  const problem = problemOf(codes[error.code ?? ''] ?? 'bad_request');
  const body = JSON.stringify(problem);
  const head = `HTTP/1.1 ${problem.status} ${problem.title}\r\ncontent-type: application/problem+json`;
  socket.end(`${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`);
  return true;
}
