import { expect, test } from 'vitest';
import { parseRouteQuestion } from './index.ts';

test('a URL is taken apart as it is written', () => {
  expect(parseRouteQuestion({ url: 'https://Example.com:8443/a/../b%2f?q=1#top' })).toEqual({
    method: 'GET',
    host: 'Example.com:8443',
    target: '/a/../b%2f?q=1',
    scheme: 'https',
    headers: [],
  });
  expect(parseRouteQuestion({ url: 'http://user@[::1]?q' })).toMatchObject({
    host: '[::1]',
    target: '/?q',
    scheme: 'http',
  });
});

test('everything that a decision depends on can be said', () => {
  const asked = {
    method: 'POST',
    host: 'example.com',
    path: '/x',
    headers: { Accept: 'a', 'X-Forwarded-For': ['10.0.0.1', '10.0.0.2'] },
    client_ip: '2001:db8::1',
    tier: 'gpu-l',
    client_lat: 0,
    client_lon: -180,
    pool: 'infer',
  };
  expect(parseRouteQuestion(asked)).toEqual({
    method: 'POST',
    host: 'example.com',
    target: '/x',
    headers: [
      ['Accept', 'a'],
      ['X-Forwarded-For', '10.0.0.1'],
      ['X-Forwarded-For', '10.0.0.2'],
    ],
    clientIp: '2001:db8::1',
    tier: 'gpu-l',
    from: { latitude: 0, longitude: -180 },
    pool: 'infer',
  });
});

const url = 'http://example.com/';

test.each([
  ['nothing', undefined, 'body: '],
  ['neither URL nor path', { host: 'a' }, 'url: expected, or host and path'],
  ['both', { url, path: '/' }, 'url: it names host and path already'],
  ['no URL', { url: 'ftp://example.com/' }, 'url: expected one such as'],
  ['no address', { url, client_ip: 'localhost' }, 'client_ip: expected an IP address'],
  ['half a place', { url, client_lat: 1 }, 'client_lat and client_lon: give both or neither'],
  ['a place off the map', { url, client_lat: 91, client_lon: 0 }, 'client_lat: '],
  ['a header within a header', { url, headers: { a: 'b\r\nc: d' } }, 'headers.a: '],
  ['a line break in the path', { host: 'a', path: '/\nb' }, 'path: '],
  ['an unknown key', { url, colour: 'red' }, 'body: '],
])('%s is refused with a reason', (_what, asked, reason) => {
  expect(parseRouteQuestion(asked)).toContain(reason);
});
