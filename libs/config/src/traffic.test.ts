import { expect, test } from 'vitest';
import { explainConfig } from './explain.ts';
import { parseConfigText } from './load.ts';
import { faultsOf } from './testing/faults-of.ts';

const POOL = 'pools: { web: { backends: [http://a] }, next: { backends: [http://b] } }\n';
const shared = (text: string) => parseConfigText(POOL + text).shared;
/** The messages about one route with these keys. */
const faults = (keys: string) => faultsOf(`${POOL}routes: [{ path: /*, pool: web, ${keys} }]`).join('\n');

test('a policy is normalised, for all routes and for one', () => {
  const { traffic, routes } = shared(
    [
      'security_headers: {}',
      'response_headers: { set: { Server: "usher" }, remove: [X-Powered-By] }',
      'redirect: https',
      'routes:',
      '  - path: /api/*',
      '    pool: web',
      '    clients: { deny: [10.0.0.0/8] }',
      '    redirect: { to: "https://example.com{path}{query}", status: 308 }',
      '    rewrite: { strip: /api }',
      '    security_headers: none',
      '    request_headers: { add: { X-Client: "{client}" } }',
      '  - { path: /*, pool: web }',
    ].join('\n'),
  );
  expect(traffic).toEqual({
    redirect: 'https',
    responseHeaders: { set: { server: 'usher' }, add: {}, remove: ['x-powered-by'] },
    securityHeaders: {
      hsts: 'max-age=31536000',
      headers: {
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'SAMEORIGIN',
        'referrer-policy': 'strict-origin-when-cross-origin',
      },
    },
  });
  expect(routes[0]!.traffic).toEqual({
    clients: { allow: [], deny: ['10.0.0.0/8'] },
    redirect: { status: 308, to: 'https://example.com{path}{query}' },
    rewrite: { strip: '/api' },
    securityHeaders: 'none',
    requestHeaders: { set: {}, add: { 'x-client': '{client}' }, remove: [] },
  });
  expect(routes[1]).not.toHaveProperty('traffic');
});

test.each([
  'content-length',
  'Transfer-Encoding',
  'Host',
  'connection',
  'Keep-Alive',
  'TE',
  'trailer',
  'Upgrade',
  'expect',
  'http2-settings',
  'X-Forwarded-For',
  'x-request-id',
])('%s is no header that a policy may change', (name) => {
  for (const edit of [`set: { ${name}: x }`, `add: { ${name}: x }`, `remove: [${name}]`]) {
    for (const key of ['request_headers', 'response_headers'])
      expect(faults(`${key}: { ${edit} }`)).toContain(name.toLowerCase());
  }
});

test.each([
  ['request_headers: { set: { "X Y": a } }', 'is not the name of a header'],
  ['request_headers: { set: { X-A: "a\\nb" } }', 'in one line'],
  ['request_headers: { set: { X-A: "{adress}" } }', 'there is no variable {adress}'],
  ['request_headers: { set: { X-A: a, x-a: b } }', 'given twice'],
  ['redirect: { to: "//evil.example" }', 'this is not a URL'],
  ['redirect: { to: "javascript:alert(1)" }', 'it begins with'],
  ['redirect: { to: "/x", status: 200 }', 'expected one of 301'],
  ['redirect: http', 'https'],
  ['rewrite: {}', 'this needs strip or add'],
  ['rewrite: { strip: /api/ }', 'it ends without a slash'],
  ['rewrite: { add: /a/../b }', 'read in several ways'],
  ['clients: { deny: [10.0.0.1] }', 'needs the length of its prefix'],
  ['security_headers: { hsts: "a\\r\\nb" }', 'in one line'],
])('%s is refused', (keys, message) => {
  expect(faults(keys)).toContain(message);
});

test('braces around anything but the name of a variable stand for themselves', () => {
  const { routes } = shared(
    `routes: [{ path: /*, pool: web, response_headers: { set: { NEL: '{"max_age":1}' } } }]`,
  );
  expect(routes[0]!.traffic).toMatchObject({ responseHeaders: { set: { nel: '{"max_age":1}' } } });
});

test('of a key only its hash is kept', () => {
  const text = `${POOL}routes: [{ path: /*, pool: web, api_keys: { keys: [{ name: shop, key: kf83-ab21-99de-0c7a }] }, request_body: 5B, request_id: { header: X-Trace, trust: nobody }, cors: { origins: ["https://a.example"], max_age: 1m } }]`;
  const config = parseConfigText(text);
  expect(JSON.stringify(config)).not.toContain('kf83');
  const { traffic } = config.shared.routes[0]!;
  expect(traffic).toMatchObject({
    apiKeys: {
      header: 'x-api-key',
      keys: [{ name: 'shop', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }],
    },
    bodyBytes: 5,
    requestId: { header: 'x-trace', trust: 'nobody' },
    cors: { origins: ['https://a.example'], credentials: false, maxAgeS: 60 },
  });
});

test.each([
  ['api_keys: { keys: [] }', 'at least 1'],
  ['api_keys: { keys: [{ name: a, key: short }] }', 'too easy to guess'],
  ['api_keys: { header: Host, keys: [{ name: a, key: kf83-ab21-99de-0c7a }] }', 'stays as it is'],
  ['cors: { origins: ["*"], credentials: true }', 'origins have to be named'],
  ['cors: { origins: ["*", "https://a.example"] }', 'stands for all'],
  ['cors: { origins: ["null"] }', 'hides its own'],
  ['cors: { origins: ["https://a.example/"] }', 'https://a.example'],
  ['cors: { origins: ["https://a.example"], methods: [get] }', 'GET'],
  ['request_id: { header: Content-Length }', 'stays as it is'],
])('%s is refused as well', (keys, message) => {
  expect(faults(keys)).toContain(message);
});

const JWKS = 'issuer: a, audience: b, jwks: "https://issuer.example/jwks"';
const claiming = (headers: string) => `jwt: { ${JWKS}, claim_to_headers: { ${headers} } }`;

test('claims are asked for by the headers that they go to, whatever their case', () => {
  const { traffic } = shared(claiming('X-User: sub, X-Roles: https://a.example/roles'));
  expect(traffic?.jwt).toHaveProperty('claimHeaders', {
    'x-user': 'sub',
    'x-roles': 'https://a.example/roles',
  });
  expect(shared(`jwt: { ${JWKS} }`).traffic?.jwt).not.toHaveProperty('claimHeaders');
});

test.each([
  ['jwt: { issuer: a, audience: b, keys: [] }', 'there is nothing to check tokens with'],
  ['jwt: { issuer: a, audience: b, jwks: "http://issuer.example/jwks" }', 'http is for this machine only'],
  ['jwt: { issuer: a, audience: b, keys: [{ algorithm: HS256, key: x }] }', 'HS256'],
  [
    'jwt: { issuer: a, audience: b, keys: [{ algorithm: HS256, key: kf83-ab21-99de-0c7a-kf83-ab21-99de-0c7a }] }',
    'a secret is not written out here',
  ],
  ['jwt: { issuer: a, audience: b, keys: [{ algorithm: HS256, key: "env:NOWHERE" }] }', 'is not set'],
  [
    'jwt: { issuer: a, audience: b, keys: [{ algorithm: HS384, key: "env:NOWHERE" }] }',
    'is not one of HS256',
  ],
  ['jwt: { issuer: a, audience: b, keys: [{ algorithm: ES256, key: x }] }', 'needs a public key in PEM form'],
  [
    'jwt: { issuer: a, audience: b, keys: [{ algorithm: ES256, key: "-----BEGIN PRIVATE KEY-----" }] }',
    'this is a private key',
  ],
  [claiming('X-User: sub, x-user: sub'), 'x-user is given twice'],
  [claiming('Host: sub'), 'stays as it is'],
  [claiming('X-Forwarded-For: sub'), 'what the gateway writes itself'],
  [claiming('Authorization: sub'), 'authorization is what clients themselves show'],
  [claiming('Cookie: sub'), 'cookie is what clients themselves show'],
  [claiming('"X User": sub'), 'is not the name of a header'],
  [claiming('X-User: "a b"'), 'without spaces'],
  [claiming(Array.from({ length: 33 }, (_, at) => `X-${at}: sub`).join(', ')), 'more than 32 headers'],
])('%s lets nobody in', (keys, message) => {
  expect(faults(keys)).toContain(message);
});

test.each([
  ['', 'the environment variable SIGNER is empty'],
  ['x8-4_q.zV', 'HS256 needs a secret of 32 bytes or more'],
  ['changeme'.repeat(6), 'a secret that everybody tries: too easy to guess'],
  ['-----BEGIN PUBLIC KEY-----', 'a key in PEM form is for another algorithm'],
])('the secret %j of tokens is refused, without being shown', (SIGNER, message) => {
  const keys = 'jwt: { issuer: a, audience: b, keys: [{ algorithm: HS256, key: "env:SIGNER" }] }';
  const told = faultsOf(`${POOL}routes: [{ path: /*, pool: web, ${keys} }]`, { env: { SIGNER } }).join('\n');
  expect(told).toContain(message);
  if (SIGNER !== '') expect(told).not.toContain(SIGNER);
});

test('of a secret for tokens only the place is kept', () => {
  const SIGNER = 'kf83-ab21-99de-0c7a-kf83-ab21-99de-0c7a';
  const text = `${POOL}jwt: { issuer: a, audience: b, keys: [{ id: one, algorithm: HS256, key: "env:SIGNER" }] }`;
  const config = parseConfigText(text, { env: { SIGNER } });
  expect(config.shared.traffic?.jwt).toMatchObject({
    keys: [{ id: 'one', algorithm: 'HS256', reference: 'env:SIGNER' }],
  });
  expect(JSON.stringify([config, explainConfig(config)])).not.toContain(SIGNER);
});

const without = (keys: string) => faultsOf(`${POOL}routes: [{ path: /*, ${keys} }]`).join('\n');

test('a route that sends everybody elsewhere needs no pool, and any other does', () => {
  const { routes } = shared('routes: [{ path: /*, redirect: { to: "https://a.example{path}" } }]');
  expect(routes[0]).not.toHaveProperty('pool');
  expect(without('')).toContain('routes[0].pool: required');
  expect(without('redirect: https')).toContain('routes[0].pool: required');
  expect(without('redirect: { to: /a }, tier: { header: X-Tier }')).toContain('without a pool there are no');
  expect(without('redirect: { to: /a }, mirror: { pool: web }')).toContain('routes[0].pool: required');
});

const redirectOf = (redirect: string) =>
  shared(`routes: [{ path: /*, pool: web, redirect: ${redirect} }]`).routes[0]?.traffic;

test('a route sends those who come without TLS elsewhere, or nobody', () => {
  expect(redirectOf('https')).toEqual({ redirect: 'https' });
  expect(redirectOf('none')).toEqual({ redirect: 'none' });
  expect(without('pool: web, redirect: http')).toMatch(
    /redirect: expected the word https, .*did you mean "https"/,
  );
});

test('a route divides its requests among pools', () => {
  const [route] = shared(
    [
      'routes:',
      '  - path: /*',
      '    pool: web',
      '    canaries: [{ header: X-Canary, value: always, pool: next }, { cookie: beta, pool: next }]',
      '    split: { by: cookie, name: User, pools: [{ pool: next, share: 5% }] }',
    ].join('\n'),
  ).routes;
  expect(route).toMatchObject({
    pool: 'web',
    canaries: [
      { by: 'header', name: 'x-canary', value: 'always', pool: 'next' },
      { by: 'cookie', name: 'beta', pool: 'next' },
    ],
    split: { by: { by: 'cookie', name: 'User' }, pools: [{ pool: 'next', share: 0.05 }] },
  });
});

test.each([
  ['split: { pools: [{ pool: nxt, share: 5% }] }', 'there is no pool "nxt"'],
  ['split: { pools: [{ pool: next, share: 60% }, { pool: web, share: 41% }] }', 'more than 100%'],
  ['split: { pools: [] }', 'at least 1'],
  ['split: { by: header, pools: [{ pool: next, share: 5% }] }', 'which header?'],
  ['split: { name: a, pools: [{ pool: next, share: 5% }] }', 'has no meaning when by is chance'],
  ['canaries: [{ pool: next }]', 'either header or cookie'],
  ['canaries: [{ header: a, cookie: b, pool: next }]', 'either header or cookie'],
  ['canaries: [{ cookie: a, value: "b;c", pool: next }]', 'a cookie cannot carry'],
  ['canaries: [{ cookie: a, pool: nxt }]', 'there is no pool "nxt"'],
])('%s divides nothing', (keys, message) => {
  expect(faults(keys)).toContain(message);
});

const copies = (keys: string) =>
  shared(`routes: [{ path: /*, pool: web, mirror: { ${keys} } }]`).routes[0]!.mirror;

test('a route has another pool get copies, of all requests unless it says otherwise', () => {
  expect(copies('pool: next')).toEqual({ pool: 'next', share: 1 });
  expect(copies('pool: next, share: 10%')).toEqual({ pool: 'next', share: 0.1 });
  expect(faults('mirror: { pool: nxt }')).toContain('there is no pool "nxt"');
  expect(faults('mirror: { pool: next, share: 101% }')).toContain('more than 100%');
});

test('what a route does with its requests has to fit all of its pools', () => {
  const text = [
    'pools: { web: { backends: [http://a] }, next: { http2: true, backends: [http://b] } }',
    'routes: [{ path: /*, pool: web, plugins: [{ name: gzip }], split: { pools: [{ pool: next, share: 5% }] } }]',
  ].join('\n');
  expect(faultsOf(text).join('\n')).toContain('pool "next" has http2, which does not go through plugins');
});
