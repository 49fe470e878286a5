import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Backends in a process of their own: as many as the first argument says, each answering with its place. The second is for
 * how many milliseconds they keep connections that are idle. A server beside them tells what they saw and how they are to
 * behave: `/counts`, and `/mode/<place>/<mode>`.
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
const [count = '1', keepAliveMs = '120000'] = process.argv.slice(2);
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

async function listen(server: Server): Promise<number> {
  server.keepAliveTimeout = Number(keepAliveMs);
  // Node would wait for a second more.
  server.keepAliveTimeoutBuffer = 0;
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const ports = [await listen(createServer(control))];
for (let place = 0; place < Number(count); place++) {
  modes.push('ok');
  counts.push({ requests: 0, probes: 0 });
  const server = createServer((request, response) => void answer(place, request, response));
  // A WebSocket that is never used: opening one is all that is asked.
  server.on('upgrade', (_request, socket) => {
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.resume();
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
  });
  ports.push(await listen(server));
}
console.log(`listening on ${ports.join(' ')}`);
