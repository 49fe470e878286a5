import { describe, expect, test } from 'vitest';
import { imported, importFaults } from '../testing/imported.ts';

/** A frontend with these lines in front of two backends, of which one is for a path. */
const file = (lines: string, web = '', bind = ':80') => `
frontend f
  bind ${bind}
  ${lines}
  use_backend api if { path_beg /api/ }
  default_backend web
backend api
  server a 10.0.0.1:80
backend web
  ${web}
  server w 10.0.0.2:80
`;
const routesOf = (...parts: Parameters<typeof file>) => imported(file(...parts), 'haproxy').file['routes'];
const notesOf = (...parts: Parameters<typeof file>) => imported(file(...parts), 'haproxy').notes.join('\n');

describe('headers', () => {
  test('are set, added and removed in their order, with the variables that there are', () => {
    const lines = `http-request set-header X-From "%[src] %[req.hdr(host),field(1,:),lower] %%"
  http-request add-header X-Url %[path]?%[query]
  http-request set-header X-Gone a
  http-request del-header X-Gone
  http-request del-header X-New
  http-request add-header X-New %[ssl_fc,iif(https,http)]
  http-request set-header X-Forwarded-Proto https if { ssl_fc }`;
    expect(routesOf(lines)).toMatchObject([
      {
        path: '/api/*',
        request_headers: {
          set: { 'X-From': '{client} {host} %', 'X-New': '{scheme}' },
          add: { 'X-Url': '{path}{query}' },
          remove: ['X-Gone'],
        },
      },
      { path: '/*' },
    ]);
    expect(notesOf(lines)).toBe('');
  });

  test('of a frontend have the last word about answers, and those of a backend about requests', () => {
    const lines =
      'http-response set-header X-A front\n  http-request set-header X-B front\n http-response add-header X-C front';
    const web =
      'http-response set-header X-A back\n  http-request set-header X-B back\n http-response add-header X-C back';
    expect(routesOf(lines, web)).toMatchObject([
      { pool: 'api', response_headers: { set: { 'X-A': 'front' } } },
      {
        pool: 'web',
        request_headers: { set: { 'X-B': 'back' } },
        response_headers: { set: { 'X-A': 'front' }, add: { 'X-C': 'back' } },
      },
    ]);
    expect(notesOf(lines, web)).toMatch(/http-response: not translated: there is a value for X-C already/);
  });

  test('of hosts or paths are those of routes for them', () => {
    const lines =
      'acl shop hdr(host) shop.example.com\n  http-request set-header X-Shop yes if shop { path_beg /api/v1/ }';
    expect(routesOf(lines)).toEqual([
      { path: '/api/*', pool: 'api' },
      { path: '/*', pool: 'web' },
      { host: 'shop.example.com', path: '/api/*', pool: 'api' },
      { host: 'shop.example.com', path: '/*', pool: 'web' },
      { path: '/api/v1/*', pool: 'api' },
      {
        host: 'shop.example.com',
        path: '/api/v1/*',
        pool: 'api',
        request_headers: { set: { 'X-Shop': 'yes' } },
      },
    ]);
  });

  test.each([
    ['http-request set-header X-A %[rand]', /value of X-A .* variables that Usher has not/],
    ['http-request set-header X-A {client}', /value of X-A .* variables that Usher has not/],
    ['http-request set-header Connection close', /connection decides where a message ends/],
    ['http-request del-header Content-Length', /content-length decides where a message ends/],
    ['http-request set-header X-A b if { src 10.0.0.0/8 }', /not one of host and path/],
    ['http-request del-header X- -m beg', /headers are named in full/],
  ])('%s is told and left out', (line, note) => {
    expect(notesOf(line)).toMatch(note);
    expect(routesOf(line)).toEqual([
      { path: '/api/*', pool: 'api' },
      { path: '/*', pool: 'web' },
    ]);
  });
});

describe('who is turned away', () => {
  test.each([
    ['http-request deny if { src 10.0.0.0/8 192.0.2.1 }', { deny: ['10.0.0.0/8', '192.0.2.1/32'] }],
    ['http-request deny if !{ src 10.0.0.0/8 }', { allow: ['10.0.0.0/8'] }],
    ['http-request deny unless { src 10.0.0.0/8 }', { allow: ['10.0.0.0/8'] }],
    ['http-request deny unless { src 10.0.0.0/8 } or { src ::1 }', { allow: ['10.0.0.0/8', '::1/128'] }],
    [
      'acl in src 10.0.0.0/8\n acl in src 192.0.2.1\n http-request deny if !in',
      { allow: ['10.0.0.0/8', '192.0.2.1/32'] },
    ],
    [
      'http-request deny if { src 10.0.0.1 }\n http-request allow if { src 10.0.0.0/8 }\n http-request deny',
      { allow: ['10.0.0.0/8'], deny: ['10.0.0.1/32'] },
    ],
    ['tcp-request connection reject if { src 192.0.2.1 }', { deny: ['192.0.2.1/32'] }],
    ['http-request deny', { deny: ['0.0.0.0/0', '::/0'] }],
    ['http-request allow\n http-request deny', undefined],
  ])('%j: the same clients', (lines, clients) => {
    expect(routesOf(lines)).toEqual([
      { path: '/api/*', pool: 'api', ...(clients !== undefined && { clients }) },
      { path: '/*', pool: 'web', ...(clients !== undefined && { clients }) },
    ]);
  });

  test('of a path is turned away there, however it is asked for', () => {
    const closed = { deny: ['0.0.0.0/0', '::/0'] };
    for (const [condition, clients] of [
      ['if { path_beg /admin/ } !{ src 10.0.0.0/8 }', { allow: ['10.0.0.0/8'] }],
      ['if { path_beg /admin/ } !{ hdr(x-key) secret }', closed],
      ['if { path_beg /admin/ } !{ src -f inside.txt }', closed],
      ['if { path_beg /admin/ }', closed],
    ] as const)
      expect(routesOf(`http-request deny ${condition}`)).toEqual([
        { path: '/api/*', pool: 'api' },
        { path: '/*', pool: 'web' },
        { path: '/admin/*', pool: 'web', clients },
      ]);
    expect(routesOf('http-request deny unless { path_beg /api/ }')).toEqual([
      { path: '/api/*', pool: 'api' },
      { path: '/*', pool: 'web', clients: closed },
    ]);
    expect(notesOf('http-request deny if { path_beg /admin }')).toMatch(/\/adminx is no longer meant/);
  });

  test.each([
    ['http-request deny if { hdr_sub(user-agent) curl }', /whom this turned away gets through/],
    ['http-request deny if { src -f bad.txt }', /whom this turned away gets through/],
    ['http-request deny if { src 10.0.0.0/8 } { src 10.1.0.0/16 }', /whom this turned away gets through/],
    ['http-request deny if !{ src 10.0.0.1 }\n http-request deny if !{ src 10.0.0.2 }', /gets through/],
    [
      'http-request allow if { hdr(x-key) a }\n http-request deny if { src ::1 }',
      /only addresses can be let in/,
    ],
    ['http-request deny deny_status 429 if { src ::1 }', /http-request deny: changed: who .* gets 403/],
    ['http-request auth realm staff if { path_beg /admin/ }', /http-request auth: changed: .*everybody is/],
    ['tcp-request connection accept if { src ::1 }', /whom this turned away gets through/],
  ])('%j is told', (lines, note) => expect(notesOf(lines)).toMatch(note));
});

describe('redirects', () => {
  test.each([
    ['location /new code 301', { to: '/new', status: 301 }],
    [
      'location https://www.example.com%[capture.req.uri]',
      { to: 'https://www.example.com{path}{query}', status: 302 },
    ],
    ['prefix https://www.example.com code 308', { to: 'https://www.example.com{path}{query}', status: 308 }],
    ['prefix /old drop-query', { to: '/old{path}', status: 302 }],
  ])('%s: the same place', (redirect, expected) => {
    for (const keyword of ['redirect', 'http-request redirect'])
      expect(routesOf(`${keyword} ${redirect} if { path /old }`)).toEqual([
        { path: '/api/*', pool: 'api' },
        { path: '/*', pool: 'web' },
        { path: '/old', redirect: expected },
      ]);
  });

  test('of those who come without TLS are one word', () => {
    const both = ':80\n  bind :443 ssl crt a.pem';
    const { file: made, notes } = imported(file('redirect scheme https if !{ ssl_fc }', '', both), 'haproxy');
    expect(made['routes']).toEqual([
      { path: '/api/*', pool: 'api', redirect: 'https' },
      { path: '/*', pool: 'web', redirect: 'https' },
    ]);
    expect(notes.join('\n')).toMatch(/redirect: changed: the status is 308/);
  });

  test('of a section without TLS are for the routes of those that have it, except where it serves', () => {
    const text = `
frontend plain
  bind :80
  acl acme path_beg /.well-known/acme-challenge/
  http-request redirect scheme https code 308 unless acme
  use_backend certbot if acme
frontend secure
  bind :443 ssl crt a.pem
  http-response set-header Strict-Transport-Security max-age=63072000
  default_backend web
backend certbot
  server c 127.0.0.1:8888
backend web
  server w 10.0.0.2:80
`;
    const { file: made, notes } = imported(text, 'haproxy');
    expect(made).toMatchObject({ redirect: 'https' });
    expect(made['routes']).toEqual([
      { path: '/.well-known/acme-challenge/*', pool: 'certbot', redirect: 'none' },
      {
        path: '/*',
        pool: 'web',
        response_headers: { set: { 'Strict-Transport-Security': 'max-age=63072000' } },
      },
    ]);
    expect(notes).toEqual([]);
    const { file: mixed, notes: told } = imported(text.replace(':443 ssl crt a.pem', ':81'), 'haproxy');
    expect(mixed).not.toHaveProperty('redirect');
    expect(mixed['routes']).toContainEqual({
      path: '/*',
      redirect: { to: 'https://{host}{path}{query}', status: 308 },
    });
    expect(told.join('\n')).toMatch(/route: not translated: every host \/\* goes to somewhere else already/);
  });

  test.each([
    ['redirect location /new code 404', /clients are sent elsewhere by 301/],
    ['redirect location /%[rand]', /its destination cannot be said/],
    ['redirect prefix /', /its destination cannot be said/],
    ['redirect location new', /it begins with https/],
    ['redirect location /new if { src ::1 }', /not one of host and path/],
    ['redirect location /new set-cookie A=1', /set-cookie is not known/],
  ])('%s is told', (line, note) => expect(notesOf(line)).toMatch(note));
});

test('answers are compressed as a frontend or a backend says', () => {
  const gzip = { name: 'compression', codings: ['gzip'], types: ['text/html', 'application/json'] };
  const lines = 'compression algo gzip\n  compression type text/html application/json';
  for (const [front, back, plugins] of [
    [lines, '', [[gzip], [gzip]]],
    ['', lines, [undefined, [gzip]]],
    ['compression algo deflate', '', [undefined, undefined]],
  ] as const)
    expect(routesOf(front, back)).toEqual([
      { path: '/api/*', pool: 'api', ...(plugins[0] && { plugins: plugins[0] }) },
      { path: '/*', pool: 'web', ...(plugins[1] && { plugins: plugins[1] }) },
    ]);
  expect(notesOf('compression algo deflate gzip')).toMatch(/what is made of text[^]*no deflate/);
});

test('two sections that ask for different things at one place are told apart in a note', () => {
  const text = `
frontend public
  bind :80
  http-request deny if { src 192.0.2.1 }
  default_backend web
frontend private
  bind :81
  default_backend web
backend web
  server w 10.0.0.2:80
`;
  expect(imported(text, 'haproxy').notes).toEqual([
    '8:3 route: not translated: every host /* has another policy already: every listener serves every route',
  ]);
});

const section = (name: string, bind: string) =>
  `frontend ${name}\n  bind ${bind}\n  default_backend ${name}\n`;
test.each([
  [':80', '127.0.0.1:81'],
  ['*:80', '10.0.0.1:81'],
  ['[::]:80', '[::1]:81'],
  [':80', 'unix@/run/h.sock'],
  [':80', ':443 ssl crt a.pem ca-file ca.pem verify required'],
])('a section at %s does not serve what is at %s', (wide, narrow) => {
  const servers = 'backend wide\n  server w w:1\nbackend narrow\n  server n n:1\n';
  for (const text of [
    section('wide', wide) + section('narrow', narrow) + servers,
    section('narrow', narrow) + section('wide', wide) + servers,
  ]) {
    const read = imported(text, 'haproxy');
    expect(read.file['routes']).toEqual([{ path: '/*', pool: 'wide' }]);
    expect(read.file['listen']).toHaveLength(1);
    expect(read.notes.join('\n')).toMatch(/frontend: not translated: it listens elsewhere/);
  }
});

test('what nothing keeps out any more is told as left open, before all else', () => {
  for (const line of [
    'http-request deny if { method PUT }',
    'tcp-request content reject',
    'http-request deny if { path_beg /admin }',
  ])
    expect(imported(file(`errorfile 503 /x\n  ${line}`), 'haproxy').notes[0]).toMatch(/left open: /);
});

const withHosts = (count: number) =>
  file(
    Array.from({ length: count }, (_, at) => `use_backend api if { hdr(host) h${at}.example }`)
      .concat('http-request deny if { path_beg /admin/ }')
      .join('\n'),
  );

test('many hosts with a rule about a path are many routes, and too many are a fault', () => {
  expect(imported(withHosts(300), 'haproxy').file['routes']).toHaveLength(2 * 300 + 3);
  expect(importFaults(withHosts(10_001), 'haproxy')).toEqual([
    '2:1 frontend: its rules tell too many hosts and paths apart',
  ]);
});
