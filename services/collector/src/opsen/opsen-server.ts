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

/** One that can be told while it runs which keys count from now on. */
export interface OpsenServer extends RunningServer {
  /** Throws, with everything as it was, without keys for an address that others reach. */
  admit(keys: readonly string[]): void;
}

/** Starts the API that Opsen's clients know. Throws what listening throws, and without keys for an address that others reach. */
export async function startOpsenServer(
  options: OpsenServerOptions,
  context: ServiceContext,
  collector: Collector,
): Promise<OpsenServer> {
  const gate = new KeyGate(options.host, options.keys);
  const app = appBehind(gate, options, context, collector);
  const { host, port: asked, socket } = options;
  await app.listen({ host, port: asked, ...(socket === undefined ? {} : { fd: socket }) });
  const { port } = app.server.address() as AddressInfo;
  return { host: options.host, port, close: () => app.close(), admit: (keys) => gate.admit(keys) };
}

/** The same before it listens. */
export function createOpsenApp(
  options: OpsenServerOptions,
  context: ServiceContext,
  collector: Collector,
): FastifyInstance {
  return appBehind(new KeyGate(options.host, options.keys), options, context, collector);
}

function appBehind(
  gate: KeyGate,
  { pool, endpoints, staleAfterMs }: OpsenServerOptions,
  context: ServiceContext,
  collector: Collector,
): FastifyInstance {
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
  guard(app, gate);
  answerInText(app, context);
  collector.grantSilence(pool, staleAfterMs);
  opsenRoutes(
    app,
    new OpsenDesk(context, collector, { pool, endpoints: targetsOf(endpoints), staleAfterMs }),
  );
  return app;
}

type KnowsKey = (shown: string) => boolean | undefined;

/** Knows which keys count, which may change while the server runs. */
class KeyGate {
  readonly #host: string;
  /** Undefined: none is needed. */
  #known: KnowsKey | undefined;

  constructor(host: string, keys: readonly string[]) {
    this.#host = host;
    this.admit(keys);
  }

  get known(): KnowsKey | undefined {
    return this.#known;
  }

  admit(keys: readonly string[]): void {
    if (keys.length === 0 && !isLoopback(this.#host))
      throw new UsherError('invalid_input', `the Opsen API on ${this.#host} needs at least one key`);
    this.#known =
      keys.length === 0 ? undefined : secretFinder(keys.map((secret) => ({ secret, whose: true })));
  }
}

function guard(app: FastifyInstance, gate: KeyGate): void {
  app.addHook('onRequest', (request, _reply, done) => {
    done(refusalOf(request, gate.known));
  });
}

function refusalOf(
  { headers, routeOptions, is404 }: FastifyRequest,
  known: KnowsKey | undefined,
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
