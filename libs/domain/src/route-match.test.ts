import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { explainRoutes, RouteMatcher } from './route-match.ts';

/** Routes written as `host path`; `-` is any host. The pattern is the route's name. */
function matcher(...patterns: string[]) {
  const routes = patterns.map((name) => {
    const [host = '', path = ''] = name.split(' ');
    return { name, settings: { host: host === '-' ? undefined : host, path } };
  });
  const compiled = new RouteMatcher(routes);
  return (host: string, path: string) => compiled.match(host, path)?.name;
}

describe('route matching', () => {
  test('prefers an exact host to a wildcard to any host, in whatever order they are declared', () => {
    const patterns = ['- /*', '*.example.com /*', '*.eu.example.com /*', 'a.eu.example.com /*'];
    for (const order of [patterns, patterns.toReversed()]) {
      const match = matcher(...order);
      expect(match('a.eu.example.com', '/')).toBe('a.eu.example.com /*');
      expect(match('b.eu.example.com', '/')).toBe('*.eu.example.com /*');
      expect(match('b.c.example.com', '/')).toBe('*.example.com /*');
      expect(match('example.com', '/')).toBe('- /*');
      expect(match('.example.com', '/')).toBe('- /*');
      expect(match('notexample.com', '/')).toBe('- /*');
      expect(match('', '/')).toBe('- /*');
    }
  });

  test('prefers an exact path to the longest prefix, in whatever order they are declared', () => {
    const patterns = ['- /*', '- /v1/*', '- /v1/users/*', '- /v1/users'];
    for (const order of [patterns, patterns.toReversed()]) {
      const match = matcher(...order);
      expect(match('h', '/v1/users')).toBe('- /v1/users');
      expect(match('h', '/v1/users/7')).toBe('- /v1/users/*');
      expect(match('h', '/v1/x')).toBe('- /v1/*');
      expect(match('h', '/')).toBe('- /*');
    }
  });

  test('treats a prefix as whole segments', () => {
    const match = matcher('- /v1/*');
    expect(match('h', '/v1')).toBe('- /v1/*');
    expect(match('h', '/v1/')).toBe('- /v1/*');
    expect(match('h', '/v1/x/y')).toBe('- /v1/*');
    expect(match('h', '/v1x')).toBeUndefined();
    expect(match('h', '/v')).toBeUndefined();
    expect(match('h', '/')).toBeUndefined();
  });

  test('tells an exact path from the same path with a slash', () => {
    const match = matcher('- /health');
    expect(match('h', '/health')).toBe('- /health');
    expect(match('h', '/health/')).toBeUndefined();
  });

  test('falls through to a less specific host when the path does not match', () => {
    const match = matcher('api.example.com /v1/*', '*.example.com /static/*', '- /*');
    expect(match('api.example.com', '/v1/x')).toBe('api.example.com /v1/*');
    expect(match('api.example.com', '/static/x')).toBe('*.example.com /static/*');
    expect(match('api.example.com', '/other')).toBe('- /*');
  });

  test('lets the catch-all take requests for the server as a whole', () => {
    expect(matcher('- /*')('h', '*')).toBe('- /*');
  });

  test('uses the first of two routes with equal patterns', () => {
    const compiled = new RouteMatcher([
      { name: 'first', settings: { path: '/a/*' } },
      { name: 'second', settings: { path: '/a/*' } },
    ]);
    expect(compiled.match('h', '/a/b')?.name).toBe('first');
  });
});

describe('the explanation of a match', () => {
  const part = fc.constantFrom('a', 'b', 'ab');
  const path = fc.array(part, { maxLength: 3 }).map((parts) => `/${parts.join('/')}`);
  const host = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('.'));
  const routes = fc.array(
    fc.record({
      host: fc.oneof(
        fc.constant(undefined),
        host,
        host.map((name) => `*.${name}`),
      ),
      path: fc.oneof(
        path,
        path.map((prefix) => (prefix === '/' ? '/*' : `${prefix}/*`)),
      ),
    }),
    { maxLength: 8 },
  );

  test('finds what the matcher finds, and calls all others that would take it less specific', () => {
    fc.assert(
      fc.property(routes, host, path, (declared, asked, target) => {
        const verdicts = explainRoutes(declared, asked, target);
        const matcherOf = (of: typeof declared) => new RouteMatcher(of.map((settings) => ({ settings })));
        const found = verdicts.find(({ verdict }) => verdict === 'matches')?.route;
        expect(found).toBe(matcherOf(declared).match(asked, target)?.settings);
        expect(new Set(verdicts.map(({ route }) => route))).toEqual(new Set(declared));
        for (const { route, verdict } of verdicts) {
          const takes = matcherOf([route]).match(asked, target) !== undefined;
          expect(takes).toBe(verdict === 'matches' || verdict === 'less_specific');
        }
      }),
    );
  });

  test('says whether host or path is another, in the order in which routes are preferred', () => {
    const declared = [
      { host: undefined, path: '/*' },
      { host: undefined, path: '/v1/*' },
      { host: '*.example.com', path: '/*' },
      { host: 'a.example.com', path: '/v2/*' },
      { host: 'b.example.com', path: '/*' },
    ];
    expect(
      explainRoutes(declared, 'a.example.com', '/v1/x').map(({ route, verdict }) => [
        route.host,
        route.path,
        verdict,
      ]),
    ).toEqual([
      ['a.example.com', '/v2/*', 'other_path'],
      ['b.example.com', '/*', 'other_host'],
      ['*.example.com', '/*', 'matches'],
      [undefined, '/v1/*', 'less_specific'],
      [undefined, '/*', 'less_specific'],
    ]);
  });
});
