import { TestDnsServer } from '@usher/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { dnsResolver } from './dns-resolver.ts';

let server: TestDnsServer;
let servers: readonly string[];
beforeEach(async () => {
  server = await TestDnsServer.start();
  servers = [server.address];
});
afterEach(() => server.stop());

test('addresses of both families come with the time that they hold', async () => {
  server.names.set('web.internal', { A: ['10.0.0.1', '10.0.0.2'], AAAA: ['fd00::7'] });
  server.ttlS = 30;
  expect(await dnsResolver.addresses('web.internal', 4, servers)).toEqual([
    { address: '10.0.0.1', ttlMs: 30_000 },
    { address: '10.0.0.2', ttlMs: 30_000 },
  ]);
  expect(await dnsResolver.addresses('web.internal', 6, servers)).toEqual([
    { address: 'fd00::7', ttlMs: 30_000 },
  ]);
});

test('SRV records come with port, priority and weight', async () => {
  server.names.set('_http._tcp.web.internal', { SRV: [[10, 5, 8080, 'a.web.internal']] });
  expect(await dnsResolver.services('_http._tcp.web.internal', servers)).toEqual([
    { target: 'a.web.internal', port: 8080, priority: 10, weight: 5 },
  ]);
});

test('a name without such records has none, which is no failure', async () => {
  server.names.set('web.internal', { A: ['10.0.0.1'] });
  expect(await dnsResolver.addresses('web.internal', 6, servers)).toEqual([]);
  expect(await dnsResolver.services('web.internal', servers)).toEqual([]);
});

test('a name that does not exist, and a server that fails, are failures', async () => {
  await expect(dnsResolver.addresses('nobody.internal', 4, servers)).rejects.toThrow('ENOTFOUND');
  server.names.set('web.internal', { A: ['10.0.0.1'] });
  server.state = 'failing';
  await expect(dnsResolver.addresses('web.internal', 4, servers)).rejects.toThrow('ESERVFAIL');
});

test('no answer is kept for the next question', async () => {
  server.ttlS = 3600;
  for (const address of ['10.0.0.1', '10.0.0.2']) {
    server.names.set('web.internal', { A: [address] });
    expect(await dnsResolver.addresses('web.internal', 4, servers)).toMatchObject([{ address }]);
  }
});
