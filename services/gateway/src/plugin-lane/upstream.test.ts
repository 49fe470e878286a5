import { createServer } from 'node:tls';
import { makeCertificate } from '@usher/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { ask, listen, until } from '../testing/http.ts';
import { backend, closeAll, closeLater, dial, lane, zipped } from '../testing/plugin-lane.ts';

afterEach(closeAll);

const DEAD = '255.255.255.255';

async function named(addresses: readonly string[]) {
  const one = await backend('one');
  const started = await lane([one.url.replace('127.0.0.1', 'one.test')], zipped);
  const resolve = (...ips: readonly string[]) =>
    started.table.apply([{ kind: 'addresses', host: 'one.test', addresses: ips }], 10, Date.now());
  resolve(...addresses);
  return { ...started, one, resolve };
}

describe('a backend with a host name', () => {
  test('is reached at its next address when one takes no connection', async () => {
    const { port, slot, unreachable } = await named([DEAD, '127.0.0.1']);
    expect((await ask(port, { method: 'POST', body: 'data' })).text).toBe('one');
    expect(slot(0)).toMatchObject({ requests: 1, failures: 0 });
    expect([...slot(0).endpoint.connectFailures!.values()]).toEqual([1]);
    expect(unreachable).toEqual(['one.test']);
  });

  test('fails when none of them does', async () => {
    const { port, slot } = await named([DEAD]);
    expect((await ask(port)).status).toBe(502);
    expect(slot(0)).toMatchObject({ requests: 1, failures: 1 });
  });

  test('gets no new requests at an address that is gone', async () => {
    const { port, one, resolve } = await named(['127.0.0.1']);
    const ports = () => new Set(one.seen.map(({ socket }) => socket.remotePort)).size;
    await ask(port);
    await ask(port);
    expect(ports()).toBe(1);
    resolve('0.0.0.0');
    expect((await ask(port)).text).toBe('one');
    expect(ports()).toBe(2);
  });
});

test('a WebSocket reaches its backend over TLS', async () => {
  const authority = makeCertificate({ commonName: 'authority', authority: true });
  const { cert, key } = makeCertificate({ names: ['one.test'], issuer: authority });
  const server = createServer({ cert, key }, (socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
      socket.pipe(socket);
    });
  });
  const { table, port } = await lane([`https://one.test:${await listen(server)}`], zipped);
  closeLater(() => server.close());
  const tls = { verify: true, ca: authority.cert };
  table.apply(
    [
      { kind: 'addresses', host: 'one.test', addresses: ['127.0.0.1'] },
      { kind: 'tls', pool: 'web', tls },
    ],
    10,
    Date.now(),
  );
  const client = dial(port, '/');
  await until(() => client.text.startsWith('HTTP/1.1 101'), 'it is open');
  client.client.write('hello');
  await until(() => client.text.endsWith('hello'), 'it answers');
});
