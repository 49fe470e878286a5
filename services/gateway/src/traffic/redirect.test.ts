import { expect, test } from 'vitest';
import { Redirect } from './redirect.ts';
import type { TrafficRequest } from './traffic-request.ts';

const request = (changes: Partial<TrafficRequest>): TrafficRequest => ({
  method: 'GET',
  client: '192.0.2.1',
  consumer: '',
  claims: [],
  request_id: 'r',
  scheme: 'http',
  host: 'shop.example',
  path: '/',
  query: '',
  route: 'all',
  header: () => undefined,
  ...changes,
});
const to = (template: string, changes: Partial<TrafficRequest>) =>
  new Redirect({ status: 302, to: template }).target(request(changes));

test('no path is taken for another host', () => {
  expect(to('{path}', { path: '//evil.example/x' })).toBe('/evil.example/x');
  expect(to('{path}', { path: '/\\evil.example/x' })).toBe('/evil.example/x');
  expect(to('https://shop.example{path}', { path: '*' })).toBe('https://shop.example/');
});

test('no value ends the line that it is in', () => {
  expect(to('/{query}', { query: '?a\r\nset-cookie: b\n' })).toBe('/?aset-cookie: b');
});

test('who names no host stays, because there is no URL for him', () => {
  expect(new Redirect('https').target(request({ host: '' }))).toBeUndefined();
  expect(new Redirect('https').target(request({ path: '/a', query: '?b' }))).toBe('https://shop.example/a?b');
});
