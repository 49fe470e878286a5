import { describe, expect, test } from 'vitest';
import { imported } from '../testing/imported.ts';

const GUARDED = { deny: ['0.0.0.0/0', '::/0'] };
/** Routes of a server with these lines beside its location for everything. */
const serverWith = (lines: string) =>
  imported(`http { server { ${lines} location / { proxy_pass http://a:1; } } }`, 'nginx');
const locationWith = (lines: string, path = '/api/') =>
  imported(`http { server { location ${path} { ${lines} proxy_pass http://a:1; } } }`, 'nginx');
const routesOf = (...servers: string[]) => imported(`http { ${servers.join(' ')} }`, 'nginx');
const ALL = { path: '/*', pool: 'a-1' };

describe('return', () => {
  test.each([
    ['301 https://www.example.com$request_uri', { to: 'https://www.example.com{path}{query}', status: 301 }],
    ['308 /new$is_args$args', { to: '/new{query}', status: 308 }],
    ['302 $scheme://$host/new', { to: '{scheme}://{host}/new', status: 302 }],
    ['https://example.com$uri?$args', { to: 'https://example.com{path}{query}', status: 302 }],
  ])('%s sends clients to the same place', (args, redirect) => {
    expect(serverWith(`location /old/ { return ${args}; }`).file['routes']).toEqual([
      { path: '/old/*', redirect },
      ALL,
    ]);
    expect(serverWith(`return ${args};`).file['routes']).toEqual([{ path: '/*', redirect }]);
  });

  test.each([
    ['403', 'closed', GUARDED, undefined],
    ['404', 'closed', GUARDED, /return: changed: the status is 403/],
    ['503', 'closed', undefined, undefined],
    ['500 "no"', 'closed', undefined, /return: changed: the status is 503/],
  ])('%s keeps everybody out', (args, pool, clients, note) => {
    const { file, notes } = serverWith(`location /x/ { return ${args}; }`);
    expect(file['routes']).toEqual([{ path: '/x/*', pool, ...(clients && { clients }) }, ALL]);
    if (note === undefined) expect(notes).toEqual([]);
    else expect(notes.join()).toMatch(note);
  });

  test.each([
    ['200 ok', /Usher has no answers of its own/],
    ['301 /a$cookie_a', /variables that Usher has not/],
    ['304 /a', /clients are sent elsewhere by 301/],
  ])('%s is told', (args, note) => {
    expect(serverWith(`location /x/ { return ${args}; }`).notes.join()).toMatch(note);
  });
});

describe('rewrite', () => {
  test.each([
    ['^/api/(.*)$ /$1 break', { strip: '/api' }],
    ['^/api(.*)$ $1 break', { strip: '/api' }],
    ['^/api/(.*) /v2/$1 break', { strip: '/api', add: '/v2' }],
    ['^(.*)$ /v2$1 break', { add: '/v2' }],
    ['^/a\\.b/(.*)$ /c/$1 break', { strip: '/a.b', add: '/c' }],
  ])('%s changes the path on its way', (args, rewrite) => {
    const { file, notes } = locationWith(`rewrite ${args};`);
    expect(file['routes']).toEqual([{ path: '/api/*', pool: 'a-1', rewrite }]);
    expect(notes).toEqual([]);
    expect(locationWith(`rewrite ${args.replace('break', 'last')};`).notes.join()).toMatch(
      /rewrite: changed: the request stays in this location/,
    );
  });

  test.each([
    ['^/old$ /new permanent', '/old', { to: '/new{query}', status: 301 }],
    ['^/old/ /new? redirect', '/old/*', { to: '/new', status: 302 }],
    [
      '^/old/(.*)$ https://b.example/old/$1 permanent',
      '/old/*',
      { to: 'https://b.example{path}{query}', status: 301 },
    ],
    ['^ https://b.example$request_uri?', undefined, { to: 'https://b.example{path}{query}', status: 302 }],
    [
      '^/(.*)$ https://b.example/$1 redirect',
      undefined,
      { to: 'https://b.example{path}{query}', status: 302 },
    ],
  ])('%s sends clients elsewhere', (args, path, redirect) => {
    expect(serverWith(`rewrite ${args};`).file['routes']).toEqual(
      path === undefined ? [{ path: '/*', redirect }] : [{ path, redirect }, ALL],
    );
  });

  test.each([
    ['^/old/(.*)$ /new/$1 permanent'],
    ['^/(a|b)/(.*)$ /$2 break'],
    ['^/api/(.*)$ /index.php?q=$1 break'],
    ['^/api/(.*)\\.html$ /$1 break'],
  ])('%s is told and left out', (args) => {
    const { file, notes } = locationWith(`rewrite ${args};`);
    expect(file['routes']).toEqual([{ path: '/api/*', pool: 'a-1' }]);
    expect(notes.join()).toMatch(/rewrite: not translated: only beginnings of paths are known/);
    expect(serverWith('rewrite ^/a/(.*)$ /$1 last;').notes.join()).toMatch(/within locations only/);
  });
});

test.each([
  ['/api/', 'http://a:1/', { strip: '/api' }],
  ['/api', 'http://a:1/v2', { strip: '/api', add: '/v2' }],
  ['/', 'http://a:1/v2/', { add: '/v2' }],
  ['= /api', 'http://a:1/up', { strip: '/api', add: '/up' }],
  ['/api/', 'http://a:1/api/', undefined],
  ['/api/', 'http://a:1/v2', undefined],
])('the path of a location %s that passes to %s is replaced', (path, url, rewrite) => {
  const { file, notes } = imported(`http { server { location ${path} { proxy_pass ${url}; } } }`, 'nginx');
  expect(file['routes']).toMatchObject([{ pool: 'a-1' }]);
  expect(file).toHaveProperty('routes[0].pool');
  if (rewrite === undefined) expect(file).not.toHaveProperty('routes[0].rewrite');
  else expect(file).toHaveProperty('routes[0].rewrite', rewrite);
  expect(notes.join().includes('proxy_pass: changed')).toBe(url.endsWith('v2') && path === '/api/');
});

describe('answers are compressed', () => {
  test.each([
    ['gzip on;', { types: ['text/html'] }],
    ['gzip on; gzip_types text/css text/html;', { types: ['text/html', 'text/css'] }],
    ['gzip on; gzip_types *;', { types: ['text/html', '*/*'] }],
    [
      'gzip on; gzip_comp_level 6; gzip_min_length 2k;',
      { types: ['text/html'], levels: { gzip: 6 }, min_size: '2KiB' },
    ],
  ])('as by %s', (lines, options) => {
    expect(locationWith(lines).file['routes']).toMatchObject([
      { plugins: [{ name: 'compression', codings: ['gzip'], ...options }] },
    ]);
  });
});

describe('what a server without TLS sends to the same URL with it', () => {
  const certificate = 'ssl_certificate a.pem; ssl_certificate_key a.key;';
  const secure = (names: string) =>
    `server { listen 443 ssl; ${certificate} server_name ${names}; location / { proxy_pass http://a:1; } }`;
  test.each([
    ['server { listen 80 default_server; return 301 https://$host$request_uri; }'],
    ['server { listen 80; server_name a.example; return 301 https://a.example$request_uri; }'],
    [
      'server { listen 80; server_name a.example; location / { return 301 https://$server_name$request_uri; } }',
    ],
    [
      'server { if ($host = a.example) { return 301 https://$host$request_uri; } listen 80; server_name a.example; return 404; }',
    ],
    [
      'server { listen 80; server_name a.example; if ($scheme = http) { return 301 https://$host$request_uri; } }',
    ],
  ])('%s', (plain) => {
    const { file, notes } = routesOf(plain, secure('a.example'));
    expect(file).toMatchObject({
      listen: [{ address: '0.0.0.0:80' }, { address: '0.0.0.0:443' }],
      routes: expect.arrayContaining([{ ...ALL, host: 'a.example', redirect: 'https' }]),
    });
    expect(notes.join('\n')).toMatch(/return: changed: the status is 308/);
  });

  test('is not what others serve', () => {
    const { file } = routesOf(
      'server { listen 80; server_name a.example; return 308 https://$host$request_uri; }',
      secure('a.example'),
      secure('b.example').replace('a:1', 'b:1'),
    );
    expect(file['routes']).toEqual([
      { ...ALL, host: 'a.example', redirect: 'https' },
      { ...ALL },
      { host: 'b.example', path: '/*', pool: 'b-1' },
    ]);
  });

  test('needs a server with TLS, or is a redirect like others', () => {
    const plain = 'server { listen 80; server_name a.example; return 308 https://$host$request_uri; }';
    expect(
      routesOf(plain, 'server { listen 81; location / { proxy_pass http://a:1; } }').file['routes'],
    ).toEqual([
      ALL,
      { host: 'a.example', path: '/*', redirect: { to: 'https://{host}{path}{query}', status: 308 } },
    ]);
    expect(routesOf(plain, secure('b.example'), secure('c.example')).notes.join('\n')).toMatch(
      /return: not translated: a.example has no server with TLS/,
    );
  });

  test('leaves what is served beside it', () => {
    const { file } = routesOf(
      `server { listen 80; server_name a.example; location /.well-known/ { proxy_pass http://b:1; }
        location / { return 308 https://$host$request_uri; } }`,
      secure('a.example'),
    );
    expect(file['routes']).toEqual(
      expect.arrayContaining([
        { host: 'a.example', path: '/.well-known/*', pool: 'b-1' },
        { ...ALL, host: 'a.example', redirect: 'https' },
      ]),
    );
  });

  test('of a server with both is told by its scheme', () => {
    const { file, notes } = routesOf(
      `server { listen 80; listen 443 ssl; ${certificate} if ($scheme != "https") { return 308 https://$host$request_uri; }
        if ($http_user_agent ~ bad) { return 403; } location / { proxy_pass http://a:1; } }`,
    );
    expect(file['routes']).toEqual([{ ...ALL, redirect: 'https' }]);
    expect(notes.join('\n')).toMatch(/if: not translated: there are no conditions/);
  });
});
