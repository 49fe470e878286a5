import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  createServer as createHttp2Server,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Backends in a process of their own: as many as the first argument says, each answering with its place. The second is for
 * how many milliseconds they keep connections that are idle, the third is `http2` for those that speak nothing else. A
 * server beside them tells what they saw and how they are to behave: `/counts`, and `/mode/<place>/<mode>`.
 */
export type BackendMode =
  /** All is well. */
  | 'ok'
  /** Probes are answered with 503, and what comes all the same with 200. */
  | 'sick'
  /** Connections end when a request has come. */
  | 'cut';

/** What one backend saw. */
export interface BackendCounts {
  requests: number;
  probes: number;
}

export interface Counts {
  readonly backends: readonly BackendCounts[];
  /** Requests that carried an `x-id`, by how many different ones there were, and how many of them came again. */
  readonly ids: number;
  readonly repeated: number;
}

const SLOW_MS = 300;
const [count = '1', keepAliveMs = '120000', protocol = ''] = process.argv.slice(2);
const modes: BackendMode[] = [];
const counts: BackendCounts[] = [];
const ids = new Set<string>();
let repeated = 0;

async function answer(place: number, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const probe = request.url === '/healthz';
  const mode = modes[place];
  counts[place]![probe ? 'probes' : 'requests'] += 1;
  noteId(request.headers['x-id']);
  if (mode === 'cut') {
    request.socket.destroy();
    return;
  }
  request.resume();
  if (request.url?.endsWith('/slow') === true) await sleep(SLOW_MS);
  response.writeHead(probe && mode === 'sick' ? 503 : 200).end(String(place));
}

function answerStream(place: number, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  counts[place]!.requests += 1;
  noteId(headers['x-id']);
  // What breaks a connection breaks its streams.
  stream.on('error', () => {});
  stream.resume();
  stream.respond({ ':status': 200 });
  stream.end(String(place));
}

function noteId(id: string | string[] | undefined): void {
  if (typeof id !== 'string') return;
  if (ids.has(id)) repeated += 1;
  ids.add(id);
}

function control(request: IncomingMessage, response: ServerResponse): void {
  const [, verb, place, mode] = (request.url ?? '').split('/');
  if (verb === 'mode') modes[Number(place)] = mode as BackendMode;
  response.end(JSON.stringify({ backends: counts, ids: ids.size, repeated } satisfies Counts));
}

async function listen(server: Server | Http2Server): Promise<number> {
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function httpServer(place: number): Server {
  const server = createServer((request, response) => void answer(place, request, response));
  server.keepAliveTimeout = Number(keepAliveMs);
  // Node would wait for a second more.
  server.keepAliveTimeoutBuffer = 0;
  // A WebSocket that is never used: opening one is all that is asked.
  server.on('upgrade', (_request, socket) => {
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.resume();
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
  });
  return server;
}

function http2Server(place: number): Http2Server {
  const server = createHttp2Server();
  server.on('stream', (stream: ServerHttp2Stream, headers) => answerStream(place, stream, headers));
  server.on('session', (session) => session.on('error', () => {}));
  return server;
}

const ports = [await listen(createServer(control))];
for (let place = 0; place < Number(count); place++) {
  modes.push('ok');
  counts.push({ requests: 0, probes: 0 });
  ports.push(await listen(protocol === 'http2' ? http2Server(place) : httpServer(place)));
}
console.log(`listening on ${ports.join(' ')}`);
