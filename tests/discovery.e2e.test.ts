import { once } from 'node:events';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { TestDnsServer, tempDir } from '@usher/testing';
import { afterAll, afterEach, expect, test } from 'vitest';
import { type Backend, startBackend } from './support/backend.ts';
import { bodies, Load } from './support/load.ts';
import { UsherProcess } from './support/usher-process.ts';
import { until } from './support/wait.ts';

const directory = tempDir();
const open: { stop(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each.stop();
});
afterAll(() => directory.remove());

interface Row {
  readonly id: string;
  readonly url: string;
  readonly origin: string;
  readonly lifecycle: string;
}

async function run(name: string, discovery: string): Promise<UsherProcess> {
  const usher = await UsherProcess.start({
    directory: path.join(directory.path, name),
    config: `workers: 1
pools:
  web:
    strategy: round_robin
    health: { type: none }
    discovery: ${discovery}
routes: [{ path: "/*", pool: web }]
`,
  });
  open.push(usher);
  return usher;
}

const rows = (usher: UsherProcess) => usher.json<readonly Row[]>('backends');

/** One port on several loopback addresses, each of which answers with itself. */
async function serveOn(hosts: readonly string[]): Promise<number> {
  let port = 0;
  for (const host of hosts) {
    const server: Server = createServer((request, response) => {
      request.resume();
      response.end(host);
    });
    server.keepAliveTimeout = 120_000;
    server.listen(port, host);
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
    open.push({ stop: () => server.close().closeAllConnections() });
  }
  return port;
}

async function named(name: string): Promise<Backend> {
  const backend = await startBackend(name);
  open.push(backend);
  return backend;
}

test('a name with several addresses is followed, and no request fails when one of them goes', async () => {
  const dns = await TestDnsServer.start();
  open.push(dns);
  const port = await serveOn(['127.0.0.1', '127.0.0.2', '127.0.0.3']);
  dns.names.set('web.internal', { A: ['127.0.0.1', '127.0.0.2'] });
  const usher = await run(
    'dns',
    `{ dns: "http://web.internal:${port}", servers: ["${dns.address}"], refresh_min: 100ms, refresh_max: 200ms }`,
  );
  await until('both serve', async () => new Set(await bodies(usher.traffic, 4)).size === 2);
  const load = new Load([usher.traffic], { connections: 4 });
  dns.names.set('web.internal', { A: ['127.0.0.2', '127.0.0.3'] });
  await until('the new address serves', () => load.tally.bodies.has('127.0.0.3'));
  await until('the old one is gone', async () =>
    (await rows(usher)).every(({ url }) => !url.includes('127.0.0.1')),
  );
  dns.state = 'failing';
  const asked = dns.asked.length;
  await until('it has been asked again', () => dns.asked.length > asked + 4);
  const { failures } = await load.stop();
  expect(failures).toEqual([]);
  expect((await rows(usher)).map(({ id, origin, lifecycle }) => [id, origin, lifecycle])).toEqual([
    [`web-127-0-0-2-${port}`, 'discovery', 'active'],
    [`web-127-0-0-3-${port}`, 'discovery', 'active'],
  ]);
  const { stdout } = await usher.run('events');
  expect(stdout).toContain('found by the addresses of web.internal');
});

test('SRV records say the port, and whose turn it is', async () => {
  const dns = await TestDnsServer.start();
  open.push(dns);
  const [first, standIn] = [await serveOn(['127.0.0.1']), await serveOn(['127.0.0.1'])];
  dns.names.set('_http._tcp.web.internal', {
    SRV: [
      [10, 1, first, 'a.internal'],
      [20, 1, standIn, 'a.internal'],
    ],
  });
  dns.names.set('a.internal', { A: ['127.0.0.1'] });
  const usher = await run('srv', `{ srv: _http._tcp.web.internal, servers: ["${dns.address}"] }`);
  await until('both are known', async () => (await rows(usher)).length === 2);
  await until('one serves', async () => (await bodies(usher.traffic, 1))[0] === '127.0.0.1');
  const { stdout } = await usher.run('route', 'explain', `GET ${usher.traffic}/`, '--json');
  const { candidates } = JSON.parse(stdout) as { candidates: { backend: string; reason: string }[] };
  expect(Object.fromEntries(candidates.map(({ backend, reason }) => [backend, reason]))).toEqual({
    [`web-127-0-0-1-${first}`]: 'ok',
    [`web-127-0-0-1-${standIn}`]: 'priority',
  });
});

test('a file of backends is followed however it is written, and a faulty one changes nothing', async () => {
  const [a, b] = [await named('a'), await named('b')];
  const usher = await run('file', '{ file: web.json }');
  const file = path.join(directory.path, 'file', 'web.json');
  const served = async () => [...new Set(await bodies(usher.traffic, 4))].toSorted().join();
  writeFileSync(file, JSON.stringify([{ id: 'a', url: a.url }]));
  await until('the first serves', async () => (await served()) === 'a');
  writeFileSync(`${file}.swp`, `- { id: a, url: "${a.url}" }\n- { id: b, url: "${b.url}" }\n`);
  renameSync(`${file}.swp`, file);
  await until('both serve', async () => (await served()) === 'a,b');
  writeFileSync(file, '- { id: a, url: nothing }\n- { id: a, port: 1 }\n');
  const told = (...faults: readonly string[]) =>
    faults.every((fault) => usher.output.includes(`web.json${fault}`));
  await until('every fault is told', () =>
    told(':1:17 [0].url: ', ':2:3 [1].url: ', ':2:12 [1].port: unknown key', ':2:9 [1].id: '),
  );
  rmSync(file);
  const missing = 'there is no such file';
  await until('that it is gone is told', () => usher.output.split(missing).length === 3);
  expect(await served()).toBe('a,b');
  writeFileSync(file, `["${b.url}"]`);
  await until('only the second serves', async () => (await served()) === 'b');
});
