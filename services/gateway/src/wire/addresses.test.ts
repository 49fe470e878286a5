import { afterEach, describe, expect, it } from 'vitest';
import { Harness, type HarnessOptions } from './testing/harness.ts';
import { answering, ok, RawBackend } from './testing/raw-backend.ts';
import { readMessage, statusOf, until } from './testing/raw-socket.ts';

/** Connecting to the broadcast address is refused by the kernel itself. */
const DEAD = '255.255.255.255';
/** Two ways to the same machine. */
const [ONE, OTHER] = ['127.0.0.1', '0.0.0.0'];

let harness: Harness;
let backend: RawBackend;

afterEach(async () => {
  await harness.stop();
  await backend.stop();
});

/** A lane whose one backend is known by its name. */
async function start(addresses: readonly string[], options?: HarnessOptions): Promise<void> {
  backend = await RawBackend.start(answering(({ body }) => ok(`good ${body}`)));
  harness = await Harness.start([], { urls: [`http://backend.test:${backend.port}`], ...options });
  resolve(...addresses);
}

function resolve(...addresses: string[]): void {
  if (addresses.length > 0) harness.apply({ kind: 'addresses', host: 'backend.test', addresses });
}

async function send(method = 'GET', body = ''): Promise<{ status: number; code: unknown; body: string }> {
  const client = harness.connect();
  client.send(`${method} / HTTP/1.1\r\nHost: any\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  const answer = await readMessage(client);
  const code: unknown = answer.body.startsWith('{') ? JSON.parse(answer.body).code : undefined;
  return { status: statusOf(answer), code, body: answer.body };
}

const failures = () => [...(harness.pool.slots[0]!.endpoint.connectFailures?.values() ?? [])];

describe('a backend with a host name', () => {
  it('gets nothing before its name resolves, and requests from then on', async () => {
    await start([]);
    expect(await send()).toMatchObject({ status: 503, code: 'no_backend' });
    resolve(ONE);
    expect(await send()).toMatchObject({ status: 200 });
  });

  it.each(['GET', 'POST'])('gets %s by its next address when one takes no connection', async (method) => {
    await start([DEAD, ONE]);
    // Requests at the same time, so that each needs a connection of its own.
    const answers = await Promise.all(Array.from({ length: 6 }, () => send(method, 'data')));
    expect(answers.map(({ body }) => body)).toEqual(answers.map(() => 'good data'));
    expect(harness.table.outcomes.every((outcome) => outcome === 'ok')).toBe(true);
    expect(harness.lane.counts.retries).toBe(0);
    expect(failures()).toEqual([1]);
    expect(harness.unreachable).toEqual(['backend.test']);
  });

  it('fails as a whole when none of its addresses takes a connection', async () => {
    await start([DEAD, '255.255.255.255', DEAD]);
    expect(await send()).toMatchObject({ status: 502, code: 'connect_failed' });
    expect(harness.table.outcomes).toEqual(['connect_failed']);
    expect(failures()).toEqual([3]);
    const [logged] = harness.log.entries;
    expect(logged).toMatchObject({ level: 'warn', message: 'a connection to a backend failed' });
    expect(logged?.fields).toMatchObject({ backend: 'b0', detail: expect.stringContaining(DEAD) });
  });

  it('is reached by all of its addresses in turn', async () => {
    await start([ONE, OTHER]);
    const { addresses } = harness.pool.slots[0]!.endpoint;
    const turns = Array.from({ length: 4 }, () => addresses.next(0)?.ip);
    expect(turns).toEqual([ONE, OTHER, ONE, OTHER]);
    for (let round = 0; round < 4; round++) expect((await send()).status).toBe(200);
  });
});

describe('an address that a host has no more', () => {
  it('loses its idle connections at once', async () => {
    await start([ONE]);
    await send();
    await until(() => backend.open === 1, 'a connection is kept');
    resolve(OTHER);
    harness.lane.closeGone();
    await until(() => backend.open === 0, 'it is closed');
    expect((await send()).status).toBe(200);
  });

  it('loses a connection in use after its request', async () => {
    await start([ONE]);
    const { promise, resolve: answer } = Promise.withResolvers<ReturnType<typeof ok>>();
    backend.behaviour = answering(() => promise);
    const asked = send();
    await until(() => harness.inFlight === 1 && backend.requests.length === 1, 'the request is there');
    resolve(OTHER);
    harness.lane.closeGone();
    answer(ok('late'));
    expect((await asked).body).toBe('late');
    await until(() => backend.open === 0, 'its connection is closed');
  });

  it('keeps its connections when only others have gone', async () => {
    await start([ONE, DEAD]);
    await send();
    resolve(ONE);
    harness.lane.closeGone();
    await send();
    expect(backend.connections).toHaveLength(1);
  });
});
