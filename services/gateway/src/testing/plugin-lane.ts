import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PolicySettings } from '@usher/domain';
import { RecordingLog } from '@usher/testing';
import { PluginLane } from '../plugin-lane/plugin-lane.ts';
import { WorkerTable } from '../table/worker-table.ts';
import { WireCounters } from '../wire/counters.ts';
import { Dialler } from '../wire/dialler.ts';
import { admissionTo } from './admission.ts';
import { policy, pool, route, row } from './fixtures.ts';
import { type Answer, startBackend, startListener } from './http.ts';
import { tableOptions } from './table-options.ts';

const closing: (() => unknown)[] = [];

/** Has something closed after the test. */
export function closeLater(close: () => unknown): void {
  closing.push(close);
}

/** For `afterEach`: closes what the test opened, the last first. */
export async function closeAll(): Promise<void> {
  for (const close of closing.splice(0).toReversed()) await close();
}

export async function backend(name: string, handle?: RequestListener) {
  const started = await startBackend(name, handle);
  closeLater(() => started.close());
  return started;
}

/** Counts by class of status, each as `class × count`. */
function shown(cells: Float64Array): string {
  return [...cells.entries()]
    .flatMap(([status, count]) => (count === 0 ? [] : [`${status}xx × ${count}`]))
    .join();
}

/** A lane with a listener in front and backends behind. */
export async function lane(
  urls: readonly string[],
  changes: Partial<PolicySettings> = {},
  settings = pool(),
) {
  const table = new WorkerTable(tableOptions(0.5));
  let position = 0;
  const set = (next: Partial<PolicySettings>) =>
    table.apply([{ kind: 'policy', policy: policy(next) }], ++position, Date.now());
  set(changes);
  table.apply(
    [
      { kind: 'pool', settings },
      ...urls.map((url, index) => ({ kind: 'backend', row: row(`b${index}`, { url }) }) as const),
    ],
    ++position,
    Date.now(),
  );
  const counters = new WireCounters();
  const log = new RecordingLog();
  let ids = 0;
  const unreachable: string[] = [];
  const plugins = new PluginLane({
    table,
    dialler: new Dialler({ log, now: Date.now, onUnreachable: (host) => unreachable.push(host) }),
    now: Date.now,
    newRequestId: () => `id-${++ids}`,
    locate: () => undefined,
    admission: admissionTo(table),
    counters,
    log,
    workers: 1,
    mirrors: { follow: () => {} },
  });
  const listener = await startListener((socket) =>
    plugins.accept(socket, Buffer.alloc(0), { address: socket.remoteAddress ?? '', scheme: 'http' }),
  );
  closeLater(() => plugins.drain(0));
  closeLater(listener.close);
  const slot = (index: number) => table.match('', '/')!.pool.slots[index]!;
  const update = (next: Partial<PolicySettings>) => {
    set(next);
    plugins.update();
  };
  /** Answers so far by route, and all of them. */
  const answered = () => {
    const routes = table.routes.map(({ settings, answers }) => [settings.id, shown(answers)] as const);
    return { ...Object.fromEntries(routes), total: shown(counters.requestsByClass) };
  };
  return { ...listener, unreachable, plugins, table, slot, update, answered, counters, log };
}

export const GZIP = { name: 'gzip', options: { min_size: 100 } };
export const TEXT = 'all work and no play makes a long text. '.repeat(100);
export const zipped = { routes: [route({ id: 'zip', path: '/*', pool: 'web', plugins: [GZIP] })] };

export function text(body = TEXT, headers: Record<string, string> = {}): RequestListener {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': body.length, ...headers });
    response.end(body);
  };
}

export function accepting(encoding: string) {
  return { headers: { 'accept-encoding': encoding } };
}

export async function pluginFile(source: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'usher-plugin-'));
  closeLater(() => rm(directory, { recursive: true }));
  const file = join(directory, 'plugin.mjs');
  await writeFile(file, source);
  return file;
}

export function withPlugin(file: string, mark: string) {
  return {
    routes: [
      route({
        id: 'stamped',
        path: '/s/*',
        pool: 'web',
        plugins: [{ name: 'stamp', file, options: { mark } }],
      }),
      route({ id: 'all', path: '/*', pool: 'web' }),
    ],
  };
}

export function problem(answer: Answer) {
  return { type: answer.headers['content-type'], ...(JSON.parse(answer.text) as object) };
}

/** A backend that turns every WebSocket into an echo. */
export async function echoing() {
  const started = await backend('echo');
  started.server.on('upgrade', (request, socket, head) => {
    started.seen.push(request);
    if (request.url === '/refused') {
      socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno');
      return;
    }
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
    socket.write(head);
    socket.pipe(socket);
  });
  return started;
}

export function dial(port: number, path: string, extra = '') {
  const client = connect(port, '127.0.0.1', () =>
    client.write(
      `GET ${path} HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n${extra}`,
    ),
  );
  closeLater(() => client.destroy());
  const received = { text: '', ended: false };
  client.on('data', (chunk) => (received.text += chunk.toString()));
  client.on('end', () => (received.ended = true));
  return Object.assign(received, { client });
}
