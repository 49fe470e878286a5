import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { imported, importFaults } from '../testing/imported.ts';

const SHOP = readFileSync(new URL('../testing/shop.haproxy.cfg', import.meta.url), 'utf8');

describe('a whole file of HAProxy', () => {
  const { file, notes } = imported(SHOP);

  test('gives its addresses, threads, times and limits', () => {
    expect(file).toMatchObject({
      listen: [{ address: '0.0.0.0:80' }, { address: '[::]:8081', proxy_protocol: true }],
      workers: 2,
      timeouts: { connect: '3s', body_idle: '40s', response: '1m', request_header: '5s' },
      limits: { connections: 4000 },
    });
  });

  test('gives its backends as pools, with servers, balance, cookies and probes', () => {
    const rest = { retry: { attempts: 2 }, queue: { timeout: '2s' } };
    expect(file['pools']).toEqual({
      web: {
        strategy: 'least_connections',
        backends: [
          { id: 'web1', url: 'http://10.0.0.11:3000', weight: 30, max_connections: 150 },
          { id: 'web2', url: 'http://10.0.0.12:3000', weight: 10 },
          { id: 'spare', url: 'http://10.0.0.13:3000', weight: 0 },
        ],
        sticky: { by: 'cookie', name: 'SRV', idle: '30m' },
        health: { type: 'http', path: '/healthz', expect_status: [200], interval: '2s', fall: 4, rise: 3 },
        ...rest,
      },
      api: {
        strategy: 'consistent_hash',
        hash: { by: 'header', name: 'X-Tenant' },
        backends: [
          { id: 'api1', url: 'https://10.0.0.21:8443' },
          { id: 'api2', url: 'https://10.0.0.22:8443' },
        ],
        health: { type: 'tcp', interval: '2s', fall: 3, rise: 2 },
        tls: { verify: false },
        ...rest,
      },
      images: {
        strategy: 'p2c',
        backends: [{ id: 'img1', url: 'http://10.0.0.31:8080' }],
        health: { type: 'none' },
        ...rest,
      },
      odd: {
        strategy: 'ip_hash',
        backends: [{ id: 'odd1', url: 'http://10.0.0.41:8080' }],
        health: { type: 'none' },
        ...rest,
      },
    });
  });

  test('gives its conditions of host and path as routes', () => {
    const request_headers = { set: { 'X-Team': 'shop' } };
    expect(file['routes']).toEqual([
      { host: 'api.example.com', path: '/*', pool: 'api', request_headers },
      { path: '/images/*', pool: 'images', request_headers },
      { path: '/icons/*', pool: 'images', request_headers },
      { path: '/*', pool: 'web', request_headers },
    ]);
  });

  test('says what was not translated, with its place', () => {
    expect(notes.map((note) => note.split(': ').slice(0, 2).join(': '))).toEqual([
      '5:5 log: not translated',
      '9:5 option httplog: not translated',
      '26:5 use_backend: not translated',
      '37:12 check: changed',
      '37:33 backup: changed',
      '55:5 stats: not translated',
      '56:5 stats: not translated',
      '58:1 listen: not translated',
    ]);
  });
});

/** A backend with these lines, as it is printed. */
const pool = (lines: readonly string[], server = '') =>
  imported(`backend b\n${lines.join('\n')}\n  server s 10.0.0.1:80 ${server}\n`).file['pools'];

describe('a backend', () => {
  test.each([
    ['roundrobin', { strategy: 'round_robin' }],
    ['static-rr', { strategy: 'round_robin' }],
    ['leastconn', { strategy: 'least_connections' }],
    ['source', { strategy: 'ip_hash' }],
    ['uri', { strategy: 'consistent_hash', hash: { by: 'path' } }],
    ['random', { strategy: 'p2c' }],
    ['random(1)', { strategy: 'random' }],
  ])('with balance %s has the same strategy', (balance, expected) => {
    expect(pool([`  balance ${balance}`])).toMatchObject({ b: expected });
  });

  test.each([
    ['stick on src', { by: 'ip', ttl: '8760h', idle: '30m' }],
    ['stick on req.hdr(X-User)', { by: 'header', name: 'X-User', ttl: '8760h', idle: '30m' }],
  ])('with %s keeps its clients', (stick, sticky) => {
    expect(pool(['  stick-table type string size 1m expire 30m', `  ${stick}`])).toMatchObject({
      b: { sticky },
    });
  });

  test.each([
    ['status 200,204', [200, 204]],
    ['rstatus ^2', ['2xx']],
    ['rstatus (2|3)..', ['2xx', '3xx']],
  ])('whose probes expect %s has them expect it', (expectation, statuses) => {
    const lines = [
      '  option httpchk',
      '  http-check send meth GET uri /up',
      `  http-check expect ${expectation}`,
    ];
    expect(pool(lines, 'check')).toMatchObject({ b: { health: { path: '/up', expect_status: statuses } } });
  });

  test('whose servers are slow to start, speak HTTP/2 or want to know the client gets that', () => {
    expect(pool([], 'slowstart 20s proto h2')).toMatchObject({ b: { slow_start: '20s', http2: true } });
    expect(pool([], 'send-proxy-v2')).toMatchObject({ b: { proxy_protocol: 'v2' } });
  });
});

/** What is said of servers, each with its name first. */
const told = (...servers: readonly string[]) =>
  imported(
    `backend b\n${servers.map((server, index) => `  server w${index + 1} 10.0.0.${index + 1}:80 ${server}\n`).join('')}`,
  ).notes;

describe('servers of one backend', () => {
  test('that are probed in other ways, or not, are told where they are', () => {
    expect(told('check inter 5s fall 5 rise 3', 'check inter 1s fall 2 rise 1', '')).toEqual([
      '3:37 inter: changed: all backends of a pool are probed alike: 5s, as w1',
      '3:45 fall: changed: all backends of a pool are probed alike: 5, as w1',
      '3:52 rise: changed: all backends of a pool are probed alike: 3, as w1',
      '4:10 check: changed: it is probed as all backends of a pool are, since w1 is',
    ]);
    expect(told('check inter 2s', 'check', 'check inter 2000 fall 3')).toEqual([]);
    expect(told('check', 'check rise 1')).toEqual([
      '3:36 rise: changed: all backends of a pool are probed alike: 2, as w1',
    ]);
  });

  test.each([
    ['slowstart 9s', 'slowstart'],
    ['send-proxy', 'send-proxy'],
    ['proto h2', 'proto'],
  ])('of which one has %s are told, for all get it', (option, name) => {
    expect(told('', option)).toEqual([`2:10 ${name}: changed: all backends of a pool have that of w2`]);
    expect(told(option, option)).toEqual([]);
  });

  test('whose certificates are checked in other ways are told', () => {
    expect(told('ssl verify none', 'ssl verify required ca-file a.pem', '')).toEqual([
      '3:29 verify: changed: all backends of a pool have that of w1',
      '3:45 ca-file: changed: all backends of a pool have that of w1',
    ]);
  });

  test('have what default-server says unless they take it back', () => {
    const { file, notes } = imported(
      'backend b\n  default-server check inter 7s\n  server w1 10.0.0.1:80\n  server w2 10.0.0.2:80 no-check\n',
    );
    expect(file).toMatchObject({ pools: { b: { health: { type: 'tcp', interval: '7s' } } } });
    expect(notes).toEqual(['4:10 check: changed: it is probed as all backends of a pool are, since w1 is']);
  });
});

test.each([
  ['observe layer7', 'observe', /passive/],
  ['on-error mark-down', 'on-error', /passive/],
  ['on-marked-down shutdown-sessions', 'on-marked-down', /under way/],
  ['fastinter 1s', 'fastinter', /interval/],
  ['port 81', 'port', /probed where requests go/],
  ['track x/y', 'track', /by itself/],
  ['agent-check', 'agent-check', /load of its own/],
  ['minconn 3', 'minconn', /max_connections/],
  ['sni str(a.example)', 'sni', /server_name/],
  ['crt a.pem', 'crt', /tls.cert/],
  ['brand-new', 'brand-new', /nothing for it/],
])('a server with %j has a word about it, and its own word is none', (option, name, why) => {
  const notes = told(option);
  expect(notes).toEqual([expect.stringMatching(new RegExp(`^2:25 ${name}: not translated: `))]);
  expect(notes[0]).toMatch(why);
  const { notes: ofDefault } = imported(
    `backend b\n  default-server ${option}\n  server w1 10.0.0.1:80\n  server w2 10.0.0.2:80\n`,
  );
  expect(ofDefault).toEqual([expect.stringMatching(new RegExp(`^2:18 ${name}: not translated: `))]);
});

test.each(['weight 0', 'id 7', 'cookie check', 'no-check', 'enabled', 'init-addr none', 'no-sslv3'])(
  'of a server with %j nothing is missed',
  (option) => {
    expect(told(option)).toEqual([]);
  },
);

test.each([
  ['frontend f\n  bind :80\nbackend a\n', '1:1: there is no backend with servers that could be translated'],
  ['backend a\n  server a\n', '2:3 server: a server has a name and an address'],
  ['backend a\n  server a "10.0.0.1:80\n', '2:12: a quote that opens here is not closed'],
  [
    'defaults\n  timeout connect soon\nbackend a\n  server a b:1\n',
    '2:19 timeout connect: this is not a time that HAProxy would take',
  ],
  ['defaults\n  timeout connect\nbackend a\n  server a b:1\n', '2:3 timeout connect: its time is missing'],
  ['global\n  maxconn many\nbackend a\n  server a b:1\n', '2:11 maxconn: expected a whole number'],
  ['backend a\n  server a b:1 check inter fast\n', '2:28 inter: this is not a time that HAProxy would take'],
  ['backend a\n  server a b:1 weight much\n', '2:23 weight: expected a whole number'],
  ['  server a b:1\nbackend b\n', '1:3 server: no section has begun yet'],
  ['listen a\n  bind :443 ssl\n  server a b:1\n', '2:3 bind: TLS needs a certificate: crt'],
  ['listen a\n  bind :99999\n  server a b:1\n', '2:3 listen[0].address: the port 99999 is above 65535'],
])('%j is refused with its place', (text, fault) => {
  expect(importFaults(text)).toContain(fault);
});
