import { expect, test } from 'vitest';
import { appendForwarded } from './forwarded-element.ts';

const peer = { address: '192.0.2.1', trusted: true, scheme: 'http' } as const;

test.each([
  ['for=198.51.100.1', 'a.example', 'for=198.51.100.1, for=192.0.2.1;host=a.example;proto=http'],
  [
    'for="[2001:db8::1]:80";by=_x',
    'a:8080',
    'for="[2001:db8::1]:80";by=_x, for=192.0.2.1;host="a:8080";proto=http',
  ],
  ['for="a\\"b"', '', 'for="a\\"b", for=192.0.2.1;proto=http'],
  ['for="a', 'a', 'for=192.0.2.1;host=a;proto=http'],
  ['for="a\\"', 'a', 'for=192.0.2.1;host=a;proto=http'],
  ['', 'a', 'for=192.0.2.1;host=a;proto=http'],
])('%j for %j becomes %j', (before, authority, expected) => {
  expect(appendForwarded(before, peer, authority)).toBe(expected);
});

test('an IPv6 address stands in brackets and quotes, without its zone', () => {
  const address = 'fe80::1%eth0';
  expect(appendForwarded('', { ...peer, address, scheme: 'https' }, 'a')).toBe(
    'for="[fe80::1]";host=a;proto=https',
  );
});
