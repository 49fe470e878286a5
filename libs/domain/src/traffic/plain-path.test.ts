import { expect, test } from 'vitest';
import { isPlainPath, plainPaths } from './plain-path.ts';

test.each(['/', '/a/b.c', '/.well-known/x', '/a..b/...', '*'])('%s is read in one way only', (path) => {
  expect(isPlainPath(path)).toBe(true);
});

test.each([
  ['/x/../admin', '/admin'],
  ['/x/..', '/'],
  ['//admin/', '/admin/'],
  ['/%61dmin', '/admin'],
  ['/%2561dmin', '/admin'],
  ['/x/%2e%2E/admin', '/admin'],
  ['/x%2f..%2fadmin', '/admin'],
  ['/x\\..\\admin', '/admin'],
  ['/admin;a=b/c', '/admin/c'],
  ['/x/..;/admin', '/admin'],
  ['/../../admin', '/admin'],
])('%s can be read as %s', (path, other) => {
  expect(isPlainPath(path)).toBe(false);
  expect(plainPaths(path)).toContain(other);
});
