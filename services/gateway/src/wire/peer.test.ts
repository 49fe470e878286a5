import { expect, test } from 'vitest';
import { PeerDirectory } from './peer.ts';

function clientBehind(forwardedFor: string): string {
  const peers = new PeerDirectory();
  return peers.clientOf(peers.describe('10.0.0.1', 'http', ['10.0.0.0/8', 'fd00::/8']), forwardedFor);
}

test.each([
  ['203.0.113.7', '203.0.113.7'],
  ['203.0.113.7:4711', '203.0.113.7'],
  ['2001:db8::7', '2001:db8::7'],
  ['[2001:db8::7]', '2001:db8::7'],
  ['[2001:db8::7]:4711', '2001:db8::7'],
  ['[::ffff:203.0.113.7]:4711', '203.0.113.7'],
  ['198.51.100.1, 203.0.113.7:4711, 10.0.0.2:80, [fd00::1]:80', '203.0.113.7'],
])('of X-Forwarded-For %s the client is %s', (forwardedFor, client) => {
  expect(clientBehind(forwardedFor)).toBe(client);
});

test.each([
  'unknown',
  '203.0.113.7:',
  '203.0.113.7:x',
  '[203.0.113.7',
  '[]',
  '[unknown]:80',
  '2001:db8::7]:80',
  '203.0.113.7.1:80',
])('what is no address in X-Forwarded-For is nobody: %s', (forwardedFor) => {
  expect(clientBehind(forwardedFor)).toBe('10.0.0.1');
});
