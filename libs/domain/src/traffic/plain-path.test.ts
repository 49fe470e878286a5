import { posix } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isCovered } from '../path-table.ts';
import { everyReading, isPlainPath } from './plain-path.ts';

test.each(['/', '/a/b.c', '/.well-known/x', '/a..b/...', '*'])('%s is read in one way only', (path) => {
  expect(isPlainPath(path)).toBe(true);
  expect(readingsOf(path)).toEqual([path]);
});

test.each([
  ['/x/../admin', '/admin'],
  ['/x/..', '/'],
  ['/admin/.', '/admin'],
  ['//admin/', '/admin/'],
  ['/%61dmin', '/admin'],
  ['/%2561dmin', '/admin'],
  ['/%252561dmin', '/admin'],
  ['/x/%2e%2E/admin', '/admin'],
  ['/x%2f..%2fadmin', '/admin'],
  ['/x\\..\\admin', '/admin'],
  ['/x%5c..%5cadmin', '/admin'],
  ['/admin;a=b/c', '/admin/c'],
  ['/admin;/c', '/admin'],
  ['/x/..;/admin', '/admin'],
  ['/../../admin', '/admin'],
  // By those who take the steps, and leave the rest as it is.
  ['/x%2fy/%2e%2e/admin/z', '/admin/z'],
  ['/x%2fy/%2e%2e/admin%2ez', '/admin%2ez'],
  ['/a/;b/../admin/x', '/a/admin/x'],
  ['/a//../admin/x', '/a/admin/x'],
  ['/a//../admin/x', '/admin/x'],
  // By those who decode, and take no steps.
  ['/%61dmin/../x', '/admin/../x'],
  ['/%61dmin/%2e%2e/x', '/admin/../x'],
  ['/admin%2f..%2fx', '/admin/../x'],
  ['/%61dmin/..;/x', '/admin/..;/x'],
  ['/%61%20b', '/a%20b'],
  ['/caf%c3%a9', '/caf%C3%A9'],
  // Where it is a reference, or what was decoded is one.
  ['//host/admin/x', '/admin/x'],
  ['/\\host/admin', '/admin'],
  ['/admin%3fx', '/admin'],
  ['/admin%00.png', '/admin'],
])('%s can be read as %s', (path, other) => {
  expect(isPlainPath(path)).toBe(false);
  expect(readingsOf(path)).toContain(other);
});

test('what is encoded because it has to be leaves few ways', () => {
  for (const path of ['/a%20b/c%20d', '/caf%C3%A9/%E2%82%AC', '/files/a%2Fb', '/a/b;v=1'])
    expect(readingsOf(path).length, path).toBeLessThan(7);
});

test('what could be read in more ways than anybody needs is not looked through', () => {
  let looked = 0;
  const look = () => (looked += 1) > 0;
  expect(everyReading(`/%${'25'.repeat(5000)}61`, look)).toBe(false);
  expect(looked).toBeLessThan(130);
  expect(everyReading(`/${'a%20'.repeat(10_000)}`, () => true)).toBe(true);
});

/** What servers and libraries make of a path before they look for what it is. */
const SERVERS: Readonly<Record<string, (path: string) => string>> = {
  'new URL()': (path) => new URL(`http://h${path}`).pathname,
  'new URL() with a base': (path) =>
    URL.canParse(path, 'http://h') ? new URL(path, 'http://h').pathname : path,
  'new URL(), decoded': (path) => decodedOf(new URL(`http://h${path}`).pathname),
  'decoded only': decodedOf,
  'decoded twice': (path) => decodedOf(decodedOf(path)),
  'decoded, then its steps taken': (path) => posix.normalize(decodedOf(path)),
  'its steps taken, then decoded': (path) => decodedOf(posix.normalize(path)),
  'decoded between two times of steps': (path) => posix.normalize(decodedOf(posix.normalize(path))),
  'without parameters, decoded, its steps taken': (path) =>
    posix.normalize(decodedOf(path.replace(/;[^/]*/g, ''))),
  'decoded, without parameters': (path) => decodedOf(path).replace(/;[^/]*/g, ''),
  'slashes merged, decoded, as a URL': (path) =>
    new URL(`http://h${decodedOf(path.replace(/\/+/g, '/'))}`).pathname,
  'backslashes as slashes, steps taken': (path) => posix.normalize(decodedOf(path).replaceAll('\\', '/')),
};

const PIECES = ['/', '/', '//', '..', '.', '%2e', '%2E.', '%252e', '%2f', '%5c', '\\', ';', ';b', '%3b'];
const NAMES = ['admin', '%61dmin', 'a', 'x', 'y', '%20', '%C3%A9'];
const paths = fc
  .array(fc.constantFrom(...PIECES, ...NAMES), { minLength: 1, maxLength: 9 })
  .map((pieces) => `/${pieces.join('')}`);

describe.each([['/admin'], ['/a/admin'], ['/x']])('what passes by %s is not read as below it', (guarded) => {
  const isGuarded = (path: string) => isCovered(guarded, path);

  test.each(Object.keys(SERVERS))('by %s', (server) => {
    fc.assert(
      fc.property(paths, (path) => {
        const passes =
          isPlainPath(path) || everyReading(path, (reading) => isGuarded(reading) === isGuarded(path));
        if (passes) expect(isGuarded(SERVERS[server]!(path))).toBe(isGuarded(path));
      }),
      { numRuns: 300, seed: 11 },
    );
  });
});

function readingsOf(path: string): string[] {
  const readings: string[] = [];
  everyReading(path, (reading) => readings.push(reading) > 0);
  return readings;
}

/** As latin1, so that nothing is refused. */
function decodedOf(path: string): string {
  return path.replace(/%([0-9a-f]{2})/gi, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}
