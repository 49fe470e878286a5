import type { PoolSettings } from '@usher/domain';
import { afterEach, describe, expect, it } from 'vitest';
import { pool as poolSettings } from '../testing/fixtures.ts';
import { closeAll, lane } from '../testing/plugin-lane.ts';
import { Harness, type HarnessOptions } from './testing/harness.ts';
import { answering, type BackendBehaviour, ok } from './testing/raw-backend.ts';
import { RawSocket, readMessage } from './testing/raw-socket.ts';

let harness: Harness;

const named = (name: string): BackendBehaviour => answering(() => ok(name));
const BACKENDS = ['b0', 'b1', 'b2', 'b3', 'b4'];

async function start(pool: Partial<PoolSettings>, options?: HarnessOptions): Promise<Harness> {
  harness = await Harness.start(BACKENDS.map(named), { ...options, pool });
  return harness;
}

afterEach(async () => {
  await closeAll();
  await harness.stop();
});

function get(fields: string, path = '/x'): string {
  return `GET ${path} HTTP/1.1\r\nHost: any\r\n${fields}\r\n`;
}

/** Who served a request. */
async function served(request: string, port = harness.port): Promise<string> {
  const client = RawSocket.to(port);
  client.send(request);
  const { body } = await readMessage(client);
  client.socket.destroy();
  return body;
}

/** Who served each of several requests, given by what follows their request line. */
async function servedEach(requests: readonly string[]): Promise<string[]> {
  const names: string[] = [];
  for (const request of requests) names.push(await served(request));
  return names;
}

const users = Array.from({ length: 40 }, (_, index) => `user-${index}`);
const byHeader = { by: 'header', name: 'x-user' } as const;
const byCookie = { by: 'cookie', name: 'id' } as const;

const chain = (ip: string) => get(`X-Forwarded-For: 1.1.1.1, ${ip}\r\nX-Forwarded-For: 192.168.0.9\r\n`);

describe('a pool that goes by a part of the request', () => {
  it.each([
    [
      'a header',
      byHeader,
      (user: string) => get(`X-User: ${user}\r\n`),
      (user: string) => get(`A: b\r\nX-User:\r\nx-USER:  ${user} \r\nX-User: z\r\n`),
    ],
    [
      'a cookie',
      byCookie,
      (user: string) => get(`Cookie: id=${user}\r\n`),
      (user: string) => get(`Cookie: a=b; xid=1; id=\r\ncookie: c=d;id=${user} ; id=z\r\n`),
    ],
    [
      'the path',
      { by: 'path' },
      (user: string) => get('', `/${user}`),
      (user: string) => get('', `/${user}?q=1`),
    ],
  ] as const)('sends what has the same %s to the same backend', async (_part, hash, one, other) => {
    await start({ strategy: 'maglev', hash });
    const first = await servedEach(users.map(one));
    expect(new Set(first)).toEqual(new Set(BACKENDS));
    expect(await servedEach(users.map(other))).toEqual(first);
  });

  it('goes by the address of the client where the header or cookie is missing or empty', async () => {
    await start({ strategy: 'consistent_hash', hash: byHeader });
    const requests = users.map((user) =>
      get(`X-Us: ${user}\r\nX-User-: ${user}\r\n${user === 'user-3' ? 'X-User:\r\n' : ''}`),
    );
    expect(new Set(await servedEach(requests)).size).toBe(1);
  });

  it('believes a trusted proxy whom a request is for, and nobody else', async () => {
    const forged = users.map((_, index) => get(`X-Forwarded-For: 10.0.0.${index}\r\n`));
    await start({ strategy: 'ip_hash' });
    expect(new Set(await servedEach(forged)).size).toBe(1);
    await harness.stop();
    await start({ strategy: 'ip_hash' }, { trustedProxies: ['127.0.0.0/8', '192.168.0.0/16'] });
    const clients = users.map((_, index) => `10.0.0.${index}`);
    const told = await servedEach(clients.map((ip) => get(`X-Forwarded-For: ${ip}\r\n`)));
    expect(new Set(told)).toEqual(new Set(BACKENDS));
    expect(await servedEach(clients.map(chain))).toEqual(told);
    expect(new Set(await servedEach(users.map((user) => get(`X-Forwarded-For: ${user}\r\n`)))).size).toBe(1);
  });

  it.each([[byHeader], [byCookie], [{ by: 'path' }], [{ by: 'ip' }]] as const)(
    'sends it to the same backend through plugins: %j',
    async (hash) => {
      await start({ strategy: 'consistent_hash', hash }, { trustedProxies: ['127.0.0.0/8'] });
      const { port } = await lane(
        harness.backends.map(({ url }) => url),
        { trustedProxies: ['127.0.0.0/8'] },
        poolSettings({ strategy: 'consistent_hash', hash }),
      );
      for (const user of users.slice(0, 12)) {
        const request = get(
          `X-User: ${user}\r\nCookie: a=b; id=${user}\r\nX-Forwarded-For: 10.0.0.${user.slice(5)}\r\n`,
          `/${user}?q`,
        );
        expect(await served(request, port)).toBe(await served(request));
      }
    },
  );

  it('takes the same other one each time its own does not answer, and leaves other keys where they are', async () => {
    await start({ strategy: 'maglev', hash: byHeader, retry: { attempts: 1, budgetRatio: 1 } });
    const requests = users.map((user) => get(`X-User: ${user}\r\n`));
    const before = await servedEach(requests);
    const slot = harness.pool.slots[2]!;
    await harness.backends[2]!.stop();
    for (const connection of harness.backends[2]!.connections) await connection.untilClosed();
    const during = await servedEach(requests);
    for (const [at, name] of before.entries()) if (name !== 'b2') expect(during[at]).toBe(name);
    expect(during).not.toContain('b2');
    expect(await servedEach(requests)).toEqual(during);
    expect(slot.failures).toBeGreaterThan(0);
  });
});

describe('a pool that goes by how backends answer', () => {
  it.each(['peak_ewma', 'least_response_time'] as const)(
    'gives one that answers 429 at once less than the others: %s',
    async (strategy) => {
      let refused = 0;
      const refusing = answering(() => {
        refused += 1;
        return 'HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n';
      });
      harness = await Harness.start([refusing, named('b1'), named('b2')], { pool: { strategy } });
      await servedEach(Array.from({ length: 60 }, () => get('')));
      expect(refused).toBeGreaterThan(0);
      expect(refused).toBeLessThan(4);
      expect(harness.pool.slots[0]!.failures).toBe(0);
    },
  );

  it('hears of each attempt once, also of those without a response', async () => {
    const hangingUp = answering(() => undefined);
    const inPieces = answering(async (_request, connection) => {
      connection.send('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n');
      for (const piece of ['b', '1']) {
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
        connection.send(piece);
      }
      return '';
    });
    harness = await Harness.start([hangingUp, inPieces], {
      pool: { strategy: 'least_response_time', retry: { attempts: 1, budgetRatio: 1 } },
    });
    const heard: string[] = [];
    const { pool } = harness;
    const { chooser } = pool;
    const hear = chooser.heard!.bind(chooser);
    chooser.heard = (slot, answer, afterMs, nowMs) => {
      heard.push(`${slot.id} ${answer}`);
      hear(slot, answer, afterMs, nowMs);
    };
    expect(await served(get(''))).toBe('b1');
    expect(heard).toEqual(['b0 refused', 'b1 answered']);
    const { port } = await lane(
      harness.backends.map(({ url }) => url),
      {},
      poolSettings({ strategy: 'peak_ewma', retry: { attempts: 1, budgetRatio: 1 } }),
    );
    for (let request = 0; request < 30; request++) expect(await served(get(''), port)).toBe('b1');
    expect(harness.backends[0]!.requests.length).toBeLessThan(4);
  });
});
