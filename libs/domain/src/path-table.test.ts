import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PATH_PATTERN_LENGTH_MAX, PathTable, pathPatternFault } from './path-table.ts';

/** Answers with the pattern that a path falls to. */
function finder(...patterns: string[]): (path: string) => string | undefined {
  const table = new PathTable<string>();
  for (const pattern of patterns) table.add(pattern, pattern);
  return (path) => table.find(path);
}

describe('path patterns', () => {
  test('are exact without a star', () => {
    const find = finder('/api/users');
    expect(find('/api/users')).toBe('/api/users');
    for (const path of ['/api/users/', '/api/users/1', '/api/usersX', '/api/user', '/'])
      expect(find(path)).toBeUndefined();
  });

  test('are prefixes of whole segments with /* at the end', () => {
    const find = finder('/api/*');
    for (const path of ['/api', '/api/', '/api/x', '/api/x/y']) expect(find(path)).toBe('/api/*');
    for (const path of ['/apix', '/ap', '/', '/x/api/y']) expect(find(path)).toBeUndefined();
  });

  test('are wildcards with a star elsewhere, which stands for any characters, slashes and none included', () => {
    const find = finder('/v1/*/live', '/*.png', '/im*');
    expect(find('/v1/7/live')).toBe('/v1/*/live');
    expect(find('/v1/7/8/live')).toBe('/v1/*/live');
    expect(find('/v1//live')).toBe('/v1/*/live');
    expect(find('/v1/live')).toBeUndefined();
    expect(find('/v1/7/lives')).toBeUndefined();
    expect(find('/a/b.png')).toBe('/*.png');
    expect(find('/.png')).toBe('/*.png');
    expect(find('/im')).toBe('/im*');
    expect(find('/images/1')).toBe('/im*');
  });

  test('take one character for a question mark', () => {
    const find = finder('/v?/x');
    expect(find('/v1/x')).toBe('/v?/x');
    expect(find('/v/x')).toBeUndefined();
    expect(find('/v10/x')).toBeUndefined();
  });

  test('end in /* for nothing too when they are wildcards', () => {
    const find = finder('/s/*/live/*');
    expect(find('/s/7/live')).toBe('/s/*/live/*');
    expect(find('/s/7/live/1')).toBe('/s/*/live/*');
    expect(find('/s/7/lively')).toBeUndefined();
  });

  test('take everything as /*, also requests for the server as a whole', () => {
    expect(finder('/*')('*')).toBe('/*');
    expect(finder('/*')('/')).toBe('/*');
  });
});

describe('of several patterns for a path', () => {
  test('an exact one is before a prefix and that before a wildcard, however long they are', () => {
    const patterns = ['/a/b/c/d/*/f/*', '/a/*', '/a/b/c/d/e/f/g'];
    for (const order of [patterns, patterns.toReversed()]) {
      const find = finder(...order);
      expect(find('/a/b/c/d/e/f/g')).toBe('/a/b/c/d/e/f/g');
      expect(find('/a/b/c/d/e/f/h')).toBe('/a/*');
    }
    expect(finder('/a/b/c/d/*/f/*', '/x/*')('/a/b/c/d/e/f/h')).toBe('/a/b/c/d/*/f/*');
  });

  test('the longer prefix and the longer wildcard count, in whatever order they are given', () => {
    const patterns = ['/a/*', '/a/b/*', '/w*', '/w?rld/*/x', '/w*/x'];
    for (const order of [patterns, patterns.toReversed()]) {
      const find = finder(...order);
      expect(find('/a/b/c')).toBe('/a/b/*');
      expect(find('/a/c')).toBe('/a/*');
      expect(find('/world/1/x')).toBe('/w?rld/*/x');
      expect(find('/wood/x')).toBe('/w*/x');
      expect(find('/wood')).toBe('/w*');
    }
  });

  test('the one given first counts among equals', () => {
    expect(finder('/a*/x', '/*b/x')('/ab/x')).toBe('/a*/x');
    expect(finder('/*b/x', '/a*/x')('/ab/x')).toBe('/*b/x');
    const table = new PathTable<number>();
    for (const [value, pattern] of ['/e', '/e', '/p/*', '/p/*'].entries()) table.add(pattern, value);
    expect([table.find('/e'), table.find('/p/x')]).toEqual([0, 2]);
  });
});

test('a wildcard covers what the same regular expression covers', () => {
  const pattern = fc.array(fc.constantFrom('a', 'b', '/', '*', '?'), { maxLength: 8 });
  const path = fc.array(fc.constantFrom('a', 'b', '/'), { maxLength: 10 });
  fc.assert(
    fc.property(pattern, path, (given, asked) => {
      // The dot keeps it from being a prefix or an exact path.
      const glob = `/${given.join('')}?.`;
      const wanted = new RegExp(
        `^${glob.replaceAll('.', '\\.').replaceAll('?', '.').replaceAll('*', '.*')}$`,
      );
      const text = `/${asked.join('')}.`;
      expect(finder(glob)(text) === glob).toBe(wanted.test(text));
    }),
    { numRuns: 2000 },
  );
});

test('a pattern that matches badly in many ways costs no more than its length times that of the path', () => {
  const find = finder(`/${'*a'.repeat(100)}*b`);
  expect(find(`/${'a'.repeat(50_000)}`)).toBeUndefined();
});

test('says what is no pattern', () => {
  for (const good of ['/', '/x', '/x/*', '/*', '/a*b?c', '/%41'])
    expect(pathPatternFault(good), good).toBeUndefined();
  expect(pathPatternFault('')).toContain('starts with /');
  expect(pathPatternFault('*.png')).toContain('starts with /');
  expect(pathPatternFault('/a b')).toContain('percent-encoded');
  expect(pathPatternFault('/ä')).toContain('percent-encoded');
  expect(pathPatternFault('/a#b')).toContain('percent-encoded');
  expect(pathPatternFault(`/${'x'.repeat(PATH_PATTERN_LENGTH_MAX)}`)).toContain('longer than');
});
