import { afterEach, describe, expect, it } from 'vitest';
import { newLineCells } from '../table/waiting-line.ts';
import { row } from '../testing/fixtures.ts';
import { Harness, type HarnessOptions } from './testing/harness.ts';
import { type BackendBehaviour, ok, type RawBackend } from './testing/raw-backend.ts';
import { type RawMessage, type RawSocket, readMessage, statusOf, until } from './testing/raw-socket.ts';

let harness: Harness;
afterEach(() => harness.stop());

/** Holds every request until it is told to answer it. */
class Holding {
  readonly held: { readonly path: string; readonly body: string; answer(status?: string): void }[] = [];
  most = 0;

  readonly behaviour: BackendBehaviour = async (connection, backend) => {
    for (;;) {
      const request = await readMessage(connection);
      await this.hold(request, connection, backend);
    }
  };

  private hold({ firstLine, body }: RawMessage, connection: RawSocket, backend: RawBackend): Promise<void> {
    const path = firstLine.split(' ')[1] ?? '';
    backend.requests.push({ firstLine, headers: {}, body, head: '' });
    return new Promise((resolve) => {
      const held = {
        path,
        body,
        answer: (status = ok(path)) => {
          this.held.splice(this.held.indexOf(held), 1);
          connection.send(status);
          resolve();
        },
      };
      this.held.push(held);
      this.most = Math.max(this.most, this.held.length);
    });
  }

  get paths(): string {
    return this.held.map(({ path }) => path).join(' ');
  }
}

const QUEUE = { max: 100, timeoutMs: 5_000 };

async function start(backends: readonly Holding[], options: HarnessOptions = {}): Promise<Harness> {
  harness = await Harness.start(
    backends.map(({ behaviour }) => behaviour),
    { maxConnections: 1, queue: QUEUE, ...options },
  );
  return harness;
}

const waiting = (): number => harness.pool.line?.counts.waiting ?? 0;

/** Sends requests on a connection each, every one when the lane has the one before. */
async function send(...paths: string[]): Promise<RawSocket[]> {
  const clients: RawSocket[] = [];
  for (const path of paths) {
    const before = harness.inFlight + waiting();
    const client = harness.connect();
    client.send(`GET ${path} HTTP/1.1\r\nHost: any\r\n\r\n`);
    clients.push(client);
    await until(() => harness.inFlight + waiting() === before + 1, `${path} has come`);
  }
  return clients;
}

async function problem(client: RawSocket): Promise<{ status: number; code: unknown; retryAfter?: string }> {
  const answer = await readMessage(client);
  const code: unknown = JSON.parse(answer.body).code;
  return { status: statusOf(answer), code, retryAfter: answer.headers['retry-after'] ?? '' };
}

describe('a backend at its limit', () => {
  it('gets the requests that wait for it one by one, in order of arrival', async () => {
    const backend = new Holding();
    await start([backend], { maxConnections: 2 });
    const clients = await send('/1', '/2', '/3', '/4', '/5');
    await until(() => backend.held.length === 2, 'two held');
    expect(waiting()).toBe(3);
    for (const expected of ['/1 /2', '/2 /3', '/3 /4', '/4 /5', '/5']) {
      await until(() => backend.paths === expected, expected);
      backend.held[0]?.answer();
    }
    for (const client of clients) expect(statusOf(await readMessage(client))).toBe(200);
    expect(backend.most).toBe(2);
    const { exits, waits } = harness.pool.line!.counts;
    expect(exits).toMatchObject({ served: 3, timeout: 0 });
    expect(waits.reduce((sum, count) => sum + count)).toBe(3);
  });

  it('is left alone while another one has room, whatever the strategy would say', async () => {
    const [full, free] = [new Holding(), new Holding()];
    await start([full, free]);
    await send('/1', '/2');
    await until(() => full.held.length === 1 && free.held.length === 1, 'one each');
    free.held[0]?.answer();
    await until(() => harness.inFlight === 1, 'one is free');
    await send('/3');
    await until(() => free.paths === '/3', 'the free one got it');
    free.held[0]?.answer();
    full.held[0]?.answer();
  });

  it('takes a request with the body that came while it waited', async () => {
    const backend = new Holding();
    await start([backend]);
    await send('/1');
    const client = harness.connect();
    const body = 'x'.repeat(300_000);
    client.send(`POST /2 HTTP/1.1\r\nHost: any\r\nContent-Length: ${body.length}\r\n\r\n`);
    await until(() => waiting() === 1, 'waiting');
    client.send(body);
    await until(() => backend.held.length === 1, 'first held');
    backend.held[0]?.answer();
    await until(() => backend.paths === '/2', 'second held');
    expect(backend.held[0]?.body).toBe(body);
    backend.held[0]?.answer();
    expect((await readMessage(client)).body).toBe('/2');
  });

  it('gets more, or less, as soon as its limit says so', async () => {
    const backend = new Holding();
    await start([backend]);
    await send('/1', '/2', '/3');
    const { limit } = harness.pool.slots[0]!;
    const cells = { cells: limit!.shared, line: newLineCells(1) };
    const url = harness.backends[0]!.url;
    const set = (max: number): void => {
      const changed = row('b0', { url, limit: { max, adaptive: false, ...cells } });
      harness.table.apply([{ kind: 'backend', row: changed }], 2, Date.now());
    };
    set(2);
    await until(() => backend.paths === '/1 /2', 'a second one');
    set(1);
    backend.held[0]?.answer();
    await until(() => harness.inFlight === 1, 'first answered');
    expect([backend.paths, waiting()]).toEqual(['/2', 1]);
    backend.held[0]?.answer();
    await until(() => backend.paths === '/3', 'third held');
    backend.held[0]?.answer();
  });
});

describe('a request that waits', () => {
  it('is answered with 503 and told when to come back when its time is over', async () => {
    const backend = new Holding();
    await start([backend]);
    const [, second] = await send('/1', '/2');
    harness.advance(QUEUE.timeoutMs + 100);
    expect(await problem(second!)).toEqual({ status: 503, code: 'overloaded', retryAfter: '1' });
    expect(harness.pool.line?.counts).toMatchObject({ waiting: 0, exits: { timeout: 1 } });
    expect(backend.paths).toBe('/1');
    backend.held[0]?.answer();
  });

  it('is refused at once when enough wait already, or waiting is switched off', async () => {
    const backend = new Holding();
    await start([backend], { queue: { max: 1, timeoutMs: 5_000 } });
    await send('/1', '/2');
    const client = harness.connect();
    client.send('GET /3 HTTP/1.1\r\nHost: any\r\n\r\n');
    expect(await problem(client)).toMatchObject({ status: 503, code: 'overloaded' });
    expect(harness.pool.line?.counts).toMatchObject({ waiting: 1, exits: { refused: 1 } });
  });

  it('is forgotten at once when its client leaves, and those behind it move up', async () => {
    const backend = new Holding();
    await start([backend]);
    const [, second] = await send('/1', '/2', '/3');
    second!.socket.destroy();
    await until(() => waiting() === 1, 'gone');
    expect(harness.counters.clientAborts).toBe(1);
    await until(() => backend.held.length === 1, 'first held');
    backend.held[0]?.answer();
    await until(() => backend.paths === '/3', 'third held');
    backend.held[0]?.answer();
    expect(harness.pool.line?.counts.exits).toMatchObject({ left: 1, served: 1 });
  });

  it('goes to another backend when the one it waited for is drained', async () => {
    const [drained, other] = [new Holding(), new Holding()];
    await start([drained, other]);
    await send('/1', '/2', '/3');
    const { url } = harness.backends[0]!;
    harness.table.apply([{ kind: 'backend', row: row('b0', { url, eligible: false }) }], 2, Date.now());
    await until(() => other.held.length === 1, 'one held');
    other.held[0]?.answer();
    await until(() => other.paths === '/3', 'third held');
    drained.held[0]?.answer();
    other.held[0]?.answer();
  });

  it('is told that there is no backend when the last one goes', async () => {
    const backend = new Holding();
    await start([backend]);
    const [, second] = await send('/1', '/2');
    await until(() => backend.held.length === 1, 'first held');
    harness.table.apply([{ kind: 'backend_removed', backend: 'b0' }], 2, Date.now());
    expect(await problem(second!)).toMatchObject({ status: 503, code: 'no_backend' });
    backend.held[0]?.answer();
  });
});
