import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { bothLanes, LANES, LimitedFleet } from '../testing/limited-gateway.ts';
import { RawSocket, readMessage } from '../wire/testing/raw-socket.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 30_000 });

let fleet: LimitedFleet;
beforeEach(async () => {
  fleet = new LimitedFleet();
  const locked = { clients: { allow: [], deny: ['0.0.0.0/0', '::/0'] } };
  await fleet.configure(
    {
      routes: bothLanes(
        { id: 'locked', path: '/locked', traffic: locked },
        { id: 'odd', path: '/odd' },
        { id: 'all', path: '/a/*' },
      ),
    },
    {},
    (request, response) => {
      response.statusCode = request.method === 'POST' ? 201 : 200;
      if (request.url?.endsWith('/odd') === true) response.statusCode = 599;
      response.end();
    },
  );
});
afterEach(async () => await fleet.close());

const counts = async () => {
  const samples = await fleet.fleet.metrics.read('usher_requests_by_method_total');
  return Object.fromEntries(
    samples.map(({ labels, value }) => [`${labels['method']}_${labels['code']}`, value]),
  );
};

describe('answers by method and status', () => {
  test.each(LANES)('are counted when they are asked for, in the lane %s', async (lane) => {
    const port = await fleet.gateway({ countsMethods: true });
    const ask = async (path: string, method: string) => await fleet.ask(port, lane, { path, method });
    await ask('/a/1', 'GET');
    await ask('/a/2', 'GET');
    await ask('/a/2', 'POST');
    await ask('/a/2', 'DELETE');
    await ask('/locked', 'PUT');
    await ask('/odd', 'GET');
    await vi.waitFor(async () =>
      expect(await counts()).toEqual({ GET_200: 2, POST_201: 1, DELETE_200: 1, PUT_403: 1, GET_599: 1 }),
    );
  });

  test('count a method that HTTP does not have, and a request that is none, as those of others', async () => {
    const port = await fleet.gateway({ countsMethods: true });
    for (const text of ['BREW /a/1 HTTP/1.1\r\nHost: a\r\n\r\n', 'GET\r\n\r\n']) {
      const client = RawSocket.to(port);
      client.send(text);
      await readMessage(client);
      client.socket.destroy();
    }
    await vi.waitFor(async () => expect(await counts()).toEqual({ OTHER_400: 2 }));
  });

  test('are not counted otherwise', async () => {
    const port = await fleet.gateway();
    await fleet.ask(port, 'wire', { path: '/a/1' });
    await vi.waitFor(async () => expect(await fleet.fleet.metrics.sum('usher_requests_total')).toBe(1));
    expect(await counts()).toEqual({});
  });
});
