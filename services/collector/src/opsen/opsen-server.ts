import type { AddressInfo } from 'node:net';
import { ERRORS, UsherError } from '@usher/domain';
import type { ServiceContext } from '@usher/ports';
import {
  allowedMethods,
  isLoopback,
  pathOf,
  problemFor,
  type RunningServer,
  secretFinder,
  targetsOf,
} from '@usher/runtime';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import type { Collector } from '../collector.ts';
import { OpsenRefusal } from './body.ts';
import { OpsenDesk } from './opsen-desk.ts';
import { opsenRoutes } from './opsen-routes.ts';

const BODY_BYTES_MAX = 2 ** 20;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const CONNECTIONS_MAX = 4096;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Needs no key. */
    open?: boolean;
  }
}

export interface OpsenServerOptions {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  /** Descriptor of a socket that listens there already; absent = it opens its own. */
  readonly socket?: number | undefined;
  /** Whose backends the clients are. */
  readonly pool: string;
  /** What callers show as `X-API-Key`; empty = nothing, which is refused on any but a loopback address. */
  readonly keys: readonly string[];
  /** Networks in CIDR notation, and host names, in which clients' endpoints may be. */
  readonly endpoints: { readonly networks: readonly string[]; readonly names: readonly string[] };
  /** A client that has been silent for longer is stale. */
  readonly staleAfterMs: number;
}

/** Starts the API that Opsen's clients know. Throws what listening throws, and without keys for an address that others reach. */
export async function startOpsenServer(
  options: OpsenServerOptions,
  context: ServiceContext,
  collector: Collector,
): Promise<RunningServer> {
  const app = createOpsenApp(options, context, collector);
  const { host, port: asked, socket } = options;
  await app.listen({ host, port: asked, ...(socket === undefined ? {} : { fd: socket }) });
  const { port } = app.server.address() as AddressInfo;
  return { host: options.host, port, close: () => app.close() };
}

/** The same before it listens. */
export function createOpsenApp(
  { host, keys, pool, endpoints, staleAfterMs }: OpsenServerOptions,
  context: ServiceContext,
  collector: Collector,
): FastifyInstance {
  if (keys.length === 0 && !isLoopback(host))
    throw new UsherError('invalid_input', `the Opsen API on ${host} needs at least one key`);
  const app = Fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    http: { headersTimeout: HEADERS_TIMEOUT_MS },
  });
  app.server.maxConnections = CONNECTIONS_MAX;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  guard(app, keys);
  answerInText(app, context);
  collector.grantSilence(pool, staleAfterMs);
  opsenRoutes(
    app,
    new OpsenDesk(context, collector, { pool, endpoints: targetsOf(endpoints), staleAfterMs }),
  );
  return app;
}

function guard(app: FastifyInstance, keys: readonly string[]): void {
  const known = secretFinder(keys.map((secret) => ({ secret, whose: true })));
  app.addHook('onRequest', (request, _reply, done) => {
    done(refusalOf(request, keys.length > 0 ? known : undefined));
  });
}

function refusalOf(
  { headers, routeOptions, is404 }: FastifyRequest,
  known: ((shown: string) => boolean | undefined) | undefined,
): Error | undefined {
  if (routeOptions.config.open === true) return undefined;
  const { 'x-api-key': shown, 'content-type': type, host = '', origin } = headers;
  if (known === undefined) {
    // Otherwise any page that somebody on this machine looks at could call.
    if (!isLoopback(host) || origin !== undefined) return new OpsenRefusal(403, 'Access denied');
  } else if (typeof shown !== 'string') {
    return new OpsenRefusal(401, 'Missing X-API-Key header');
  } else if (known(shown) !== true) {
    return new OpsenRefusal(403, 'Invalid API key');
  }
  const json = type === undefined || type === '' || /^application\/json\b/i.test(type);
  return json || is404 ? undefined : new OpsenRefusal(415, 'Content-Type must be application/json');
}

/** Errors are one line of text, as these clients show them. */
function answerInText(app: FastifyInstance, { log }: ServiceContext): void {
  const methodsOf = allowedMethods(app);
  app.setNotFoundHandler((request, reply) => {
    const methods = methodsOf(pathOf(request));
    void reply.type('text/plain');
    if (methods === undefined) return reply.code(ERRORS.not_found.status).send('Not found\n');
    return reply.code(ERRORS.method_not_allowed.status).header('allow', methods).send('Method not allowed\n');
  });
  app.setErrorHandler((error, request, reply) => {
    const problem = problemFor(error);
    const [status, text] =
      error instanceof OpsenRefusal
        ? [error.status, error.message]
        : [problem.status, problem.detail ?? problem.title];
    if (status === ERRORS.internal.status)
      log.error('a call of an Opsen client failed', { method: request.method, path: pathOf(request), error });
    return reply.code(status).type('text/plain').send(`${text}\n`);
  });
}
