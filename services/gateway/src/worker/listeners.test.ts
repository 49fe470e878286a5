import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { freePort, until } from '../testing/http.ts';
import { Listeners } from './listeners.ts';
import type { ListenerStart } from './protocol.ts';

let listeners: Listeners;
const taken: string[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  taken.length = 0;
  await listeners.close();
});

const at = (id: number, port: number, host = '127.0.0.1'): ListenerStart => ({
  id,
  host,
  port,
  tls: undefined,
});

/** Each connection is taken by what was built for the address as it is then. */
function start(): Listeners {
  let built = 0;
  listeners = new Listeners(({ id }) => {
    const name = `${id}.${built++}`;
    return { accept: (socket) => taken.push(name) && sockets.push(socket), update: () => {} };
  });
  return listeners;
}

async function knock(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  return await once(socket, 'connect').then(
    () => true,
    () => false,
  );
}

test('that cannot all be opened are not opened at all, and the others stay', async () => {
  const [old, first] = [await freePort(), await freePort()];
  await start().prepare([at(0, old)]);
  listeners.commit();
  await expect(listeners.prepare([at(0, old), at(1, first), at(2, first, '192.0.2.1')])).rejects.toThrow(
    '192.0.2.1',
  );
  await until(async () => !(await knock(first)), 'what was opened is closed');
  expect(await knock(old)).toBe(true);
});

test('change when that is settled, and not before', async () => {
  const [old, next] = [await freePort(), await freePort()];
  await start().prepare([at(0, old)]);
  listeners.commit();
  await listeners.prepare([at(1, next)]);
  expect([await knock(old), await knock(next)]).toEqual([true, true]);
  listeners.abort();
  await until(async () => !(await knock(next)), 'the change is off');
  await listeners.prepare([at(1, next)]);
  listeners.commit();
  await until(async () => !(await knock(old)), 'the change is done');
  expect(await knock(next)).toBe(true);
});

test('keep what takes their connections unless something about them changes', async () => {
  const port = await freePort();
  await start().prepare([at(0, port)]);
  listeners.commit();
  for (const proxyProtocol of [undefined, true, true]) {
    await listeners.prepare([proxyProtocol === undefined ? at(0, port) : { ...at(0, port), proxyProtocol }]);
    listeners.commit();
    await knock(port);
  }
  await until(() => taken.length === 3, 'all are taken');
  expect(taken).toEqual(['0.0', '0.1', '0.1']);
});

test('that go take every connection that the kernel has accepted for them', async () => {
  const port = await freePort();
  await start().prepare([at(0, port)]);
  listeners.commit();
  const clients = `
    const { connect } = require('node:net');
    let left = 50;
    for (let each = 0; each < 50; each++)
      connect(${port}, '127.0.0.1', () => --left === 0 && process.exit());
  `;
  // As long as it runs, nothing here does.
  expect(spawnSync(process.execPath, ['-e', clients]).status).toBe(0);
  expect(taken).toEqual([]);
  await listeners.prepare([]);
  listeners.commit();
  await until(async () => !(await knock(port)), 'the address is closed');
  expect(taken.length).toBeGreaterThanOrEqual(50);
});
