import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ERRORS, type ErrorCode, problemOf } from '@usher/domain';
import type { Log } from '@usher/ports';
import { type HealthReport, healthStatusCode } from './health-report.ts';
import type { MetricsRegistry } from './metrics.ts';

const REQUEST_TIMEOUT_MS = 5000;
const CONNECTIONS_MAX = 64;
const HEALTH_PATHS: ReadonlySet<string> = new Set(['/health', '/health/ready', '/health/live']);

/** Metrics in one form. */
export type MetricsForm = Pick<MetricsRegistry, 'contentType' | 'render'>;

export interface MetricsServerOptions {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  /** Descriptor of a socket that listens there already; absent = it opens its own. */
  readonly socket?: number | undefined;
  /** Of the metrics; none of those that health has. Default: `/metrics`. */
  readonly path?: string | undefined;
  readonly metrics: MetricsForm;
  /** Other forms, by the name that `?format=` asks for. */
  readonly forms?: Readonly<Record<string, MetricsForm>> | undefined;
  /** The one of them that whoever does not ask gets. Default: `metrics`. */
  readonly format?: string | undefined;
  readonly health: () => HealthReport;
  readonly log: Log;
}

export interface RunningServer {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/**
 * The operations endpoints, for Prometheus and for whoever decides where traffic goes: `/metrics`, in another form with `?format=`; `/health` (the
 * report, 503 when new traffic should go elsewhere); `/health/ready` (the same status code alone); `/health/live` (200
 * as long as the process answers at all). `path` moves the first of them.
 */
export async function startMetricsServer(options: MetricsServerOptions): Promise<RunningServer> {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS });
  server.maxConnections = CONNECTIONS_MAX;
  server.on('request', (request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      options.log.error('an operations endpoint failed', { path: request.url, error });
      if (!response.headersSent) sendProblem(response, 'internal');
      else response.destroy();
    });
  });
  const { host, port, socket } = options;
  server.listen({ host, port, ...(socket === undefined ? {} : { fd: socket }) });
  await once(server, 'listening');
  return {
    host: options.host,
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  { path: where = '/metrics', metrics, forms = {}, format = '', health }: MetricsServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  request.resume();
  const [path = '/', query] = (request.url ?? '/').split('?');
  const known = path === where || HEALTH_PATHS.has(path);
  if (known && request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    sendProblem(response, 'method_not_allowed');
    return;
  }
  switch (path) {
    case where: {
      const asked = new URLSearchParams(query).get('format') ?? format;
      const form = Object.hasOwn(forms, asked) ? forms[asked] : undefined;
      if (form === undefined && !['', 'usher', format].includes(asked)) break;
      const { contentType, render } = form ?? metrics;
      send(response, 200, contentType, await render());
      return;
    }
    case '/health': {
      const report = health();
      send(response, healthStatusCode(report), 'application/json', JSON.stringify(report));
      return;
    }
    case '/health/ready': {
      const { status } = health();
      const code = healthStatusCode({ status, services: [] });
      send(response, code, 'application/json', JSON.stringify({ status }));
      return;
    }
    case '/health/live':
      send(response, 200, 'application/json', '{"status":"ok"}');
      return;
  }
  sendProblem(response, 'not_found');
}

function sendProblem(response: ServerResponse, code: ErrorCode): void {
  send(response, ERRORS[code].status, 'application/problem+json', JSON.stringify(problemOf(code)));
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  });
  response.end(body);
}
