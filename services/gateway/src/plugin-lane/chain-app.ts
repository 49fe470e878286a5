import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import httpProxy from '@fastify/http-proxy';
import {
  ERRORS,
  type ErrorCode,
  type Features,
  type PluginSettings,
  problemOf,
  UsherError,
} from '@usher/domain';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { WireLaneOptions } from '../wire/lane-context.ts';
import { withoutQuery } from '../wire/outgoing-request.ts';
import { problemResponse } from '../wire/problem-response.ts';
import type { ChainPolicy } from './chain-policy.ts';
import { type Arrival, Exchange, type LaneTools, type Upgrade } from './exchange.ts';
import { forwardedRequestHeaders, forwardedResponseHeaders } from './forwarded.ts';
import { registerPlugins } from './load-plugins.ts';
import { copyMessage } from './mirrored.ts';
import { connector } from './origins.ts';
import type { PluginFiles } from './plugin-files.ts';
import { PluginPatience } from './plugin-patience.ts';
import { type LaneProblem, problemOfError, retryAfterOf } from './problem-of-error.ts';
import { passBodies } from './request-body.ts';
import { featuresOfMessage } from './request-features.ts';
import { Tunnel } from './tunnel.ts';

/** Where backends are reached is decided per attempt; reply-from wants some origin before that. */
const NO_UPSTREAM = 'http://usher.invalid';

type ChainTools = LaneTools & Pick<WireLaneOptions, 'log' | 'admission'>;

/** One chain of plugins with a proxy behind it; serves every route that has just these plugins. */
export interface ChainApp {
  handle(request: IncomingMessage, response: ServerResponse, arrival: Arrival): void;
  close(): Promise<void>;
}

/** Builds an app; rejects when a plugin cannot be loaded or refuses its options. */
export async function buildChainApp(
  plugins: readonly PluginSettings[],
  policy: ChainPolicy,
  tools: ChainTools,
  files: Pick<PluginFiles, 'load'>,
): Promise<ChainApp> {
  const arrivals = new WeakMap<IncomingMessage, Arrival>();
  const exchanges = new WeakMap<IncomingMessage, Exchange>();
  const patience = new PluginPatience(policy.responseMs, tools.log);
  const arrivalOf = (request: IncomingMessage) => (patience.passed(request), arrivals.get(request));
  let listener: RequestListener | undefined;
  const app = Fastify({
    // Never listens: connections and requests are handed in, and this server only exists because Fastify asks for one.
    serverFactory: (handler) => {
      listener = handler;
      return createServer();
    },
    logger: false,
    exposeHeadRoutes: false,
    forceCloseConnections: false,
    return503OnClosing: false,
    trustProxy: policy.trustedProxies.length > 0 ? [...policy.trustedProxies] : false,
    genReqId: (request) => arrivals.get(request)?.requestId ?? '',
  });
  app.setErrorHandler((error, request, reply) => {
    const entry = arrivals.get(request.raw)?.entry;
    if (entry !== undefined && error instanceof UsherError && error.code === 'body_too_large')
      tools.admission.refusedBody(entry, error.code);
    return sendProblem(reply, problemOfError(exchanges.get(request.raw)?.takeBack() ?? error));
  });
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, problemOf('method_not_supported')));
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('x-request-id', request.id);
  });
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    await registerPlugins(scope, plugins, files);
    passBodies(
      scope,
      (request) => arrivals.get(request)?.entry.traffic?.bodyBytes ?? policy.requestBodyBytes,
      (request) => detectionBytes(arrivals.get(request)),
      (request) => arrivals.get(request)?.copy?.body,
    );
    await registerProxy(scope, policy, arrivalOf, exchanges, tools);
  });
  await app.ready();
  return {
    handle(request, response, arrival) {
      arrivals.set(request, arrival);
      patience.begin(request, response, arrival);
      listener?.(request, response);
    },
    close: () => app.close(),
  };
}

async function registerProxy(
  scope: FastifyInstance,
  policy: ChainPolicy,
  arrivalOf: (request: IncomingMessage) => Arrival | undefined,
  exchanges: WeakMap<IncomingMessage, Exchange>,
  tools: LaneTools,
): Promise<void> {
  await scope.register(httpProxy, {
    upstream: '',
    httpMethods: [...scope.supportedMethods],
    proxyPayloads: false,
    disableRequestLogging: true,
    internalRewriteLocationHeader: false,
    destroyAgent: true,
    undici: {
      connections: null,
      pipelining: 1,
      connect: connector(tools.table, tools.dialler, policy.connectMs),
      headersTimeout: policy.responseMs,
      bodyTimeout: policy.responseIdleMs ?? 0,
      keepAliveTimeout: policy.backendIdleMs,
      keepAliveMaxTimeout: policy.backendIdleMs,
      maxHeaderSize: policy.headerBytes,
    },
    replyOptions: {
      getUpstream: () => NO_UPSTREAM,
      rewriteHeaders: (headers, request) => forwardedResponseHeaders(headers, String(request?.id)),
    },
    handler: (request, reply, path, hooks) => {
      const arrival = arrivalOf(request.raw);
      if (arrival === undefined) throw new UsherError('internal');
      const features = featuresOfMessage(request, arrival);
      if (typeof features === 'string') throw new UsherError('unknown_tier', features);
      if (arrival.upgrade !== undefined) {
        openTunnel(tools, arrival, features, arrival.upgrade, request, reply);
        return reply;
      }
      refuseUnexpectedBody(request.raw);
      const sent = arrival.entry.traffic?.target(path) ?? path;
      copyMessage(tools.mirrors, arrival, request, sent + queryOf(request.raw));
      const exchange = new Exchange(tools, arrival, features, request, reply, sent, hooks);
      exchanges.set(request.raw, exchange);
      exchange.start();
      return reply;
    },
  });
}

/** What reply-from adds to a path. */
function queryOf({ url = '' }: IncomingMessage): string {
  return url.slice(withoutQuery(url).length);
}

/** How much of the body has to be read before a backend is chosen; 0 = nothing. */
function detectionBytes(arrival: Arrival | undefined): number {
  const { tier } = arrival?.entry.settings ?? {};
  return tier?.field === undefined ? 0 : tier.fieldBytesMax;
}

/** The plugins let it pass: from here on the connection is no HTTP that Fastify would answer. */
function openTunnel(
  tools: LaneTools,
  arrival: Arrival,
  features: Features,
  { client, head, onStatus }: Upgrade,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const { entry, requestId, seen } = arrival;
  const headers = forwardedRequestHeaders(request.headers, arrival);
  const { url = '/' } = request.raw;
  const target = entry.traffic?.target(url) ?? url;
  const edits = seen === undefined ? undefined : entry.traffic?.answerEdits(seen);
  reply.raw.detachSocket(client);
  reply.hijack();
  const onFailed = (code: ErrorCode): void => {
    onStatus(ERRORS[code].status);
    client.end(
      problemResponse(code, '', { requestId, edits, connection: 'connection: close\r\n', toHead: false }),
      'latin1',
    );
  };
  new Tunnel(tools, { entry, features, target, headers, client, head, onStatus, onFailed }).open();
}

/** Fastify does not read the body of a GET or HEAD; what is not read cannot be passed on, and dropping it would be a lie. */
function refuseUnexpectedBody({ method, headers }: IncomingMessage): void {
  if (method !== 'GET' && method !== 'HEAD' && method !== 'TRACE') return;
  if ((headers['content-length'] ?? '0') === '0' && headers['transfer-encoding'] === undefined) return;
  throw new UsherError('bad_request', `a ${method} with a body cannot pass through plugins`);
}

/** As bytes: to text Fastify would add a charset, which this media type does not have. */
function sendProblem(reply: FastifyReply, problem: LaneProblem): FastifyReply {
  const retryAfter = retryAfterOf(problem);
  if (retryAfter !== undefined) void reply.header('retry-after', String(retryAfter));
  return reply
    .removeHeader('content-encoding')
    .removeHeader('content-length')
    .code(problem.status)
    .type('application/problem+json')
    .send(Buffer.from(JSON.stringify(problem)));
}
