import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { Pool } from 'undici';
import { CIPHER_SUITE } from './certificate.ts';

/**
 * A reverse proxy on node:http and undici, as one would write it: least connections over keep-alive pools, hop-by-hop
 * headers removed (RFC 9110 section 7.6.1), X-Forwarded-For and a request id set. Arguments: the file with its certificate
 * and key or `-`, its port, the backends' ports.
 */

interface Backend {
  readonly pool: Pool;
  inFlight: number;
}

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const [certificate = '-', ...ports] = process.argv.slice(2);
const [port, ...backendPorts] = ports.map(Number);
const backends = backendPorts.map(
  (each): Backend => ({ pool: new Pool(`http://127.0.0.1:${each}`, { connections: 64 }), inFlight: 0 }),
);

const server =
  certificate === '-'
    ? createServer({ keepAlive: true }, forward)
    : createTlsServer({ keepAlive: true, ...tlsOptions(certificate) }, forward);
server.listen(port, '127.0.0.1');

function tlsOptions(file: string) {
  const both = readFileSync(file);
  return { cert: both, key: both, minVersion: 'TLSv1.3', ciphers: CIPHER_SUITE } as const;
}

function leastLoaded(): Backend {
  return backends.reduce((best, each) => (each.inFlight < best.inFlight ? each : best));
}

function forward(request: IncomingMessage, response: ServerResponse): void {
  const id = randomUUID();
  const headers = passedOn(request.headers);
  headers['x-forwarded-for'] = request.socket.remoteAddress ?? '';
  headers['x-request-id'] = id;
  const backend = leastLoaded();
  backend.inFlight += 1;
  const hasBody =
    request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
  backend.pool.dispatch(
    { path: request.url ?? '/', method: request.method ?? 'GET', headers, body: hasBody ? request : null },
    {
      onRequestStart() {},
      onResponseStart(_controller, status, responseHeaders) {
        response.writeHead(status, { ...passedOn(responseHeaders), 'x-request-id': id });
      },
      onResponseData(controller, chunk) {
        if (response.write(chunk)) return;
        controller.pause();
        response.once('drain', () => controller.resume());
      },
      onResponseEnd() {
        backend.inFlight -= 1;
        response.end();
      },
      onResponseError() {
        backend.inFlight -= 1;
        if (response.headersSent) response.destroy();
        else response.writeHead(502).end();
      },
    },
  );
}

function passedOn(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined && !HOP_BY_HOP.has(name)) kept[name] = value;
  }
  return kept;
}
