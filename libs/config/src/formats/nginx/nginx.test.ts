import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { imported, importFaults } from '../testing/imported.ts';

const SHOP = readFileSync(new URL('../testing/shop.nginx.conf', import.meta.url), 'utf8');
const GZIP = [{ name: 'compression', codings: ['gzip'], min_size: '1KiB', types: ['text/html'] }];

describe('a whole file of nginx', () => {
  const { file, notes } = imported(SHOP);

  test('gives its addresses, threads, proxies, times and sizes', () => {
    expect(file).toMatchObject({
      listen: [{ address: '[::]:80' }],
      workers: 4,
      trusted_proxies: ['10.0.0.0/8'],
      timeouts: { idle: '65s', connect: '2s', response: '90s' },
      limits: { request_body: '20MiB' },
    });
  });

  test('gives its upstreams as pools, with weights, balance and breaker', () => {
    expect(file['pools']).toEqual({
      app: {
        strategy: 'least_connections',
        backends: [
          { id: '10-0-0-11-3000', url: 'http://10.0.0.11:3000', weight: 3 },
          { id: '10-0-0-12-3000', url: 'http://10.0.0.12:3000', max_connections: 200 },
          { id: '10-0-0-13-3000', url: 'http://10.0.0.13:3000', weight: 0 },
        ],
        breaker: { failures: 2, window: '15s', open_for: '15s', half_open_requests: 1, successes: 1 },
      },
      static: {
        strategy: 'consistent_hash',
        hash: { by: 'path' },
        backends: [
          { id: 'static-1-internal-8080', url: 'http://static-1.internal:8080' },
          { id: 'static-2-internal-8080', url: 'http://static-2.internal:8080' },
        ],
      },
      closed: { backends: [], health: { type: 'none' } },
      '10-0-0-40-9000': {
        backends: [{ id: '10-0-0-40-9000', url: 'http://10.0.0.40:9000' }],
        retry: { attempts: 0 },
      },
    });
  });

  test('gives its locations as routes; what was guarded is closed', () => {
    const app = { pool: 'app', plugins: GZIP, request_headers: { set: { 'X-Team': 'shop' } } };
    const assets = {
      pool: 'static',
      plugins: GZIP,
      response_headers: { add: { 'Cache-Control': 'public' } },
    };
    expect(file['routes']).toEqual([
      { host: 'shop.example.com', path: '/*', ...app },
      { host: 'shop.example.com', path: '/assets/*', ...assets },
      { host: 'shop.example.com', path: '/admin/*', pool: 'closed' },
      { path: '/*', ...app },
      { path: '/assets/*', ...assets },
      { path: '/admin/*', pool: 'closed' },
      { host: 'api.example.com', path: '/*', pool: '10-0-0-40-9000', plugins: GZIP },
      { host: '*.api.example.com', path: '/*', pool: '10-0-0-40-9000', plugins: GZIP },
    ]);
  });

  test('says what was not translated, with its place', () => {
    expect(notes.map((note) => note.split(': ').slice(0, 2).join(': '))).toEqual([
      '15:5 access_log: not translated',
      '26:9 max_fails: changed',
      '28:31 backup: changed',
      '57:9 location: not translated',
      '58:13 return: not translated',
      '61:9 location: not translated',
      '65:9 location: changed',
      '66:13 auth_basic: not translated',
      '67:13 auth_basic_user_file: not translated',
    ]);
  });
});

/** One server with one location to one upstream, as it is printed for them. */
const pool = (upstream: string, location = '') =>
  imported(`http { upstream u { ${upstream} } server { location / { proxy_pass http://u; ${location} } } }`)
    .file['pools'];

describe('an upstream', () => {
  test.each([
    ['', { strategy: 'round_robin' }],
    ['ip_hash;', { strategy: 'ip_hash' }],
    ['least_conn;', { strategy: 'least_connections' }],
    ['least_time header;', { strategy: 'least_response_time' }],
    ['random;', { strategy: 'random' }],
    ['random two least_conn;', { strategy: 'p2c' }],
    ['hash $remote_addr;', { strategy: 'consistent_hash', hash: { by: 'ip' } }],
    [
      'hash $http_x_tenant consistent;',
      { strategy: 'consistent_hash', hash: { by: 'header', name: 'x-tenant' } },
    ],
    ['hash $cookie_sid;', { strategy: 'consistent_hash', hash: { by: 'cookie', name: 'sid' } }],
    ['sticky cookie srv expires=1h;', { sticky: { by: 'cookie', name: 'srv', ttl: '1h', idle: '1h' } }],
  ])('that says %j is balanced by the same', (balance, expected) => {
    expect(pool(`${balance} server 10.0.0.1:80;`)).toMatchObject({ u: expected });
  });

  test('with a weight takes turns by weight', () => {
    expect(pool('server 10.0.0.1 weight=2; server 10.0.0.2:81;')).toMatchObject({
      u: {
        strategy: 'weighted_round_robin',
        backends: [{ url: 'http://10.0.0.1', weight: 2 }, { url: 'http://10.0.0.2:81' }],
      },
    });
  });

  test('is probed as the location says', () => {
    expect(pool('server 10.0.0.1;', 'health_check uri=/up interval=3s fails=2 passes=4;')).toMatchObject({
      u: { health: { type: 'http', path: '/up', interval: '3s', fall: 2, rise: 4 } },
    });
  });
});

test.each([
  ['route=a', 'route', /by its id/],
  ['drain', 'drain', /still sent/],
  ['service=http', 'service', /discovery/],
  ['brand_new=1', 'brand_new', /nothing for it/],
])('a server with %j has a word about it', (parameter, name, why) => {
  const { notes } = imported(`upstream u {\nserver 10.0.0.1 ${parameter};\n}`);
  expect(notes).toEqual([expect.stringMatching(new RegExp(`^2:17 ${name}: not translated: `))]);
  expect(notes[0]).toMatch(why);
});

test.each(['jitter=1s', 'port=81', 'type=grpc', 'match=ok', 'mandatory', 'persistent', 'brand_new'])(
  'probes with %j have a word about it',
  (parameter) => {
    const { notes } = imported(
      `server {\nlocation / {\nproxy_pass http://10.0.0.1;\nhealth_check interval=3s ${parameter};\n}\n}`,
    );
    expect(notes).toEqual([expect.stringMatching(`^4:26 ${parameter.split('=')[0]}: not translated: `)]);
  },
);

test('servers that do not start as slowly as the one that counts are told', () => {
  const { notes } = imported(
    'upstream u {\nserver 10.0.0.1;\nserver 10.0.0.2 slow_start=5s resolve;\nserver 10.0.0.3 slow_start=5s;\n}',
  );
  expect(notes).toEqual(['2:1 slow_start: changed: all backends of a pool have that of 10.0.0.2']);
});

test('TLS comes with its certificates, and clients may have to show theirs', () => {
  const { file } = imported(
    `http { server {
    listen 8443 ssl; ssl_protocols TLSv1.3; ssl_certificate /a.pem; ssl_certificate_key /a.key;
    ssl_client_certificate /ca.pem; ssl_verify_client on;
    location / { proxy_pass https://10.0.0.1:8443; proxy_ssl_verify on; proxy_ssl_trusted_certificate /b.pem; }
  } }`,
  );
  expect(file).toMatchObject({
    listen: [
      {
        address: '0.0.0.0:8443',
        tls: {
          certificates: [{ cert: '/a.pem', key: '/a.key' }],
          min_version: '1.3',
          client_ca: '/ca.pem',
          client_auth: 'required',
        },
      },
    ],
    pools: { '10-0-0-1-8443': { tls: { verify: true, ca: '/b.pem' } } },
  });
});

/** The route of one location with these directives. */
const routeOf = (inside: string, around = '') =>
  imported(`http { server { ${around} location / { proxy_pass http://10.0.0.1; ${inside} } } }`);

test.each([
  ['allow 10.0.0.0/8; deny all;', { allow: ['10.0.0.0/8'] }],
  ['allow 10.0.0.1; allow 2001:db8::/32; deny all;', { allow: ['10.0.0.1/32', '2001:db8::/32'] }],
  ['deny 10.0.0.1; allow 10.0.0.0/8; deny all;', { allow: ['10.0.0.0/8'], deny: ['10.0.0.1/32'] }],
  ['deny 10.0.0.1;', { deny: ['10.0.0.1/32'] }],
  ['deny 10.0.0.1; allow all;', { deny: ['10.0.0.1/32'] }],
  ['deny 10.0.0.1; allow 10.0.0.2;', { deny: ['10.0.0.1/32'] }],
  ['allow all;', undefined],
])('%s keeps the same clients out', (rules, clients) => {
  expect(routeOf(rules).file['routes']).toEqual([
    { path: '/*', pool: '10-0-0-1', ...(clients !== undefined && { clients }) },
  ]);
});

test.each(['deny all;', 'deny 10.0.0.1; deny all;', 'deny all; allow 10.0.0.1;'])(
  '%s keeps everybody out',
  (rules) => {
    const { file, notes } = routeOf(rules);
    const nobody = { path: '/*', pool: 'closed', clients: { deny: ['0.0.0.0/0', '::/0'] } };
    expect(file['routes']).toEqual([nobody]);
    expect(notes).toEqual([]);
    expect(imported(`http { server { location / { ${rules} } } }`, 'nginx').file['routes']).toEqual([nobody]);
  },
);

test.each(['allow 10.0.0.1; deny 10.0.0.0/8; allow all;', 'allow unix:; deny all;', 'deny here;'])(
  'what %s means cannot be said, so nobody gets in',
  (rules) => {
    const { file, notes } = routeOf(rules);
    expect(file['routes']).toEqual([{ path: '/*', pool: 'closed' }]);
    expect(notes.join()).toContain('allow or deny kept others out of it');
  },
);

test('rules of an inner block hide those around it, and a guarded location that passes nothing on is closed', () => {
  expect(routeOf('', 'deny 10.0.0.9;').file['routes']).toMatchObject([
    { clients: { deny: ['10.0.0.9/32'] } },
  ]);
  expect(routeOf('allow all;', 'deny all;').file['routes']).toEqual([{ path: '/*', pool: '10-0-0-1' }]);
  const { file } = imported(`http { server {
    location / { proxy_pass http://10.0.0.1; }
    location /internal/ { allow 10.0.0.0/8; deny all; }
  } }`);
  expect(file['routes']).toMatchObject([{ path: '/*' }, { path: '/internal/*', pool: 'closed' }]);
});

test('headers are set and added, with the variables that there are', () => {
  const { file, notes } = routeOf(
    `proxy_set_header X-Real-IP $remote_addr; proxy_set_header X-From "at $host by \${scheme}";
     proxy_set_header Accept-Encoding ""; proxy_set_header X-Cert $ssl_client_cert; proxy_set_header X-Odd "{client}";
     add_header X-Url $request_uri always; add_header x-url again; add_header Connection close;`,
  );
  expect(file['routes']).toMatchObject([
    {
      request_headers: {
        set: { 'X-Real-IP': '{client}', 'X-From': 'at {host} by {scheme}' },
        remove: ['Accept-Encoding'],
      },
      response_headers: { add: { 'X-Url': '{path}{query}' } },
    },
  ]);
  expect(notes).toEqual([
    expect.stringMatching(/proxy_set_header: not translated: the value of X-Cert .* variables/),
    expect.stringMatching(/proxy_set_header: not translated: braces in the value of X-Odd/),
    expect.stringMatching(/add_header: not translated: there is a value for x-url already/),
    expect.stringMatching(/add_header: not translated: /),
  ]);
});

test.each([
  ['http { upstream a { server ', '1:6: the block that opens here is not closed'],
  ['http { server { location / { proxy_pass http://a } } }', '1:30: a semicolon is missing behind this'],
  ['http { } }', '1:10: no block is open that this brace could close'],
  ['http { }', '1:1: there is no server and no upstream that could be translated'],
  ['http { keepalive_timeout soon; }', '1:26 keepalive_timeout: this is not a value that nginx would take'],
  [
    'http { client_max_body_size 1.5m; }',
    '1:29 client_max_body_size: this is not a value that nginx would take',
  ],
  [
    'http { upstream a { server b:1 weight=much; } }',
    '1:21 weight: this is not a value that nginx would take',
  ],
  [
    'http { upstream a { server b:1 fail_timeout=soon; } }',
    '1:21 fail_timeout: this is not a value that nginx would take',
  ],
  [
    'http { server { location / { proxy_pass "http://a; } } }',
    '1:41: the quote that opens here is not closed',
  ],
  [
    'http { server { listen 443 ssl; location / { proxy_pass http://b:1; } } }',
    '1:24 ssl_certificate: TLS needs ssl_certificate and ssl_certificate_key',
  ],
  [
    'http { server { listen 99999; location / { proxy_pass http://b:1; } } }',
    '1:24 listen[0].address: the port 99999 is above 65535',
  ],
])('%j is refused with its place', (text, fault) => {
  expect(importFaults(text)).toContain(fault);
});
