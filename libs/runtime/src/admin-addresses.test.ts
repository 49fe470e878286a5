import { RecordingLog, SimulatedClock } from '@usher/testing';
import { afterEach, expect, test } from 'vitest';
import { type AdminServerOptions, createAdminApp } from './admin-server.ts';
import { systemRandom } from './random.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

type Networks = Pick<AdminServerOptions, 'allow' | 'deny' | 'trustedProxies'>;

/** Answers the status that a caller with a good token gets. */
function build(networks: Networks) {
  const app = createAdminApp({
    host: '127.0.0.1',
    port: 0,
    tokens: [{ name: 'ops', secret: 'a-token-of-ours', role: 'admin' }],
    ...networks,
    clock: new SimulatedClock(),
    log: new RecordingLog(),
    random: systemRandom(),
    health: () => ({ status: 'ok', services: [] }),
    register: (routes) => routes.get('/read', { config: { role: 'read' } }, () => ({})),
  });
  closing.push(() => app.close());
  return async (remoteAddress: string, more: Record<string, string | string[]> = {}) => {
    const headers = { 'x-api-key': 'a-token-of-ours', ...more };
    return (await app.inject({ url: '/read', remoteAddress, headers })).statusCode;
  };
}

const via = (...forwarded: string[]) => ({ 'x-forwarded-for': forwarded });

test('who is denied may not connect, whatever else allows it', async () => {
  const from = build({ allow: ['10.0.0.0/8', '10.6.6.6', '::/0'], deny: ['10.6.0.0/16', '2001:db8::/32'] });
  expect(await from('10.5.0.1')).toBe(200);
  expect(await from('10.6.6.6')).toBe(403);
  expect(await from('::ffff:10.6.6.6')).toBe(403);
  expect(await from('2001:db9::1')).toBe(200);
  expect(await from('2001:db8::1')).toBe(403);
});

test('all IPv6 addresses are no IPv4 address, neither to allow nor to deny', async () => {
  expect(await build({ allow: ['::/0'] })('10.0.0.1')).toBe(403);
  expect(await build({ allow: ['::/0'] })('::ffff:10.0.0.1')).toBe(403);
  expect(await build({ allow: ['0.0.0.0/0'], deny: ['::/0'] })('10.0.0.1')).toBe(200);
  expect(await build({ allow: ['0.0.0.0/0'], deny: ['::/0'] })('::1')).toBe(403);
});

test('nobody forges their way past the lists with X-Forwarded-For, by whatever spelling', async () => {
  const from = build({ allow: ['127.0.0.0/8', '198.51.100.0/24'], deny: ['198.51.100.66'] });
  for (const forged of ['127.0.0.1', '::1', 'localhost', '198.51.100.1, 127.0.0.1', ' 127.0.0.1 '])
    expect(await from('192.0.2.1', via(forged))).toBe(403);
  for (const name of ['x-real-ip', 'x-client-ip', 'forwarded', 'true-client-ip', 'cf-connecting-ip'])
    expect(await from('192.0.2.1', { [name]: '127.0.0.1' })).toBe(403);
  expect(await from('198.51.100.66', via('198.51.100.1'))).toBe(403);
  // And nobody is kept out by what somebody wrote.
  expect(await from('198.51.100.1', via('198.51.100.66'))).toBe(200);
});

test('behind a trusted proxy the address counts that it adds, not those that stood there before', async () => {
  const from = build({
    allow: ['198.51.100.0/24', '10.0.0.0/8'],
    deny: ['198.51.100.66', '127.0.0.0/8'],
    trustedProxies: ['10.0.0.0/8'],
  });
  expect(await from('10.0.0.1', via('198.51.100.1'))).toBe(200);
  expect(await from('10.0.0.1', via('198.51.100.66'))).toBe(403);
  expect(await from('10.0.0.1', via('198.51.100.1, 203.0.113.5'))).toBe(403);
  expect(await from('10.0.0.1', via('203.0.113.5, 198.51.100.1'))).toBe(200);
  // Through two proxies, and in lines of their own.
  expect(await from('10.0.0.1', via('203.0.113.5', '198.51.100.1', '10.0.0.2'))).toBe(200);
  expect(await from('10.0.0.1', via('198.51.100.1', '203.0.113.5', '10.0.0.2'))).toBe(403);
  expect(await from('::ffff:10.0.0.1', via('198.51.100.66'))).toBe(403);
  // The proxy itself, when it asks for itself.
  expect(await from('10.0.0.1')).toBe(200);
});

test('what a trusted proxy adds that is no address is nobody', async () => {
  const from = build({ allow: ['0.0.0.0/0', '::/0'], trustedProxies: ['10.0.0.0/8'] });
  for (const rubbish of ['unknown', '', '198.51.100.1:80', '0x7f000001', '198.51.100.1,', '_hidden'])
    expect(await from('10.0.0.1', via(rubbish))).toBe(403);
});
