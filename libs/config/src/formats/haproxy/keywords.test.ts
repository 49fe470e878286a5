import { describe } from 'vitest';
import { type DirectiveRow, testDirectives } from '../testing/directive-rows.ts';
import { HAPROXY_KEYWORDS } from './table.ts';

/** Lines beside those that every file has; `server` are options of the one server. */
interface Parts {
  readonly global?: string;
  readonly defaults?: string;
  readonly front?: string;
  readonly back?: string;
  readonly server?: string;
  readonly more?: string;
}

const fileOf = ({
  global = '',
  defaults = '',
  front = '',
  back = '',
  server = '',
  more = '',
}: Parts = {}) => `
global
  ${global}
defaults
  ${defaults}
frontend f
  bind :8080
  ${front}
  default_backend b
backend b
  ${back}
  server one 10.0.0.1:80 ${server}
${more}
`;

const LETS_IN = /whom this turned away gets through/;
const FRONT = 'routes[0]';
const B = 'pools.b';
const other = (name: string) => `backend ${name}\n  server ${name} 10.0.0.2:80`;

const ROWS: readonly DirectiveRow<Parts>[] = [
  ['mode', { defaults: 'mode http' }],
  [
    'mode',
    { more: 'listen t\n  mode tcp\n  server t 10.0.0.2:80' },
    /listen: not translated: it is of the mode tcp/,
  ],
  ['frontend', {}, 'routes', [{ path: '/*', pool: 'b' }]],
  ['backend', { more: other('c') }, 'pools.c.backends', [{ id: 'c', url: 'http://10.0.0.2:80' }]],
  ['listen', { more: 'listen l\n  bind :81\n  server l 10.0.0.2:80' }, 'pools.l.backends[0].id', 'l'],
  ['listen', { more: 'listen l\n  bind :81\n  server l 10.0.0.2:80' }, 'listen[1].address', '0.0.0.0:81'],
  ['defaults', { defaults: 'balance source' }, `${B}.strategy`, 'ip_hash'],
  ['bind', { front: 'bind :443 ssl crt a.pem ssl-min-ver TLSv1.3' }, 'listen[1].tls.min_version', '1.3'],
  ['bind', { front: 'bind :81 accept-proxy' }, 'listen[1].proxy_protocol', true],
  ['acl', { front: 'acl x path_beg /x/\n  use_backend b if x' }, `${FRONT}.path`, '/x/*'],
  ['use_backend', { front: 'use_backend b if { hdr(host) a.example }' }, `${FRONT}.host`, 'a.example'],
  ['use_backend', { front: 'use_backend b if { src ::1 }' }, /its condition is not one of host and path/],
  ['default_backend', {}, `${FRONT}.path`, '/*'],
  ['balance', { back: 'balance leastconn' }, `${B}.strategy`, 'least_connections'],
  ['balance', { back: 'balance first' }, /balance: changed: there is no such strategy/],
  ['hash-type', { back: 'balance source\n  hash-type consistent' }, `${B}.strategy`, 'consistent_hash'],
  [
    'server',
    { server: 'weight 3 maxconn 7' },
    `${B}.backends[0]`,
    { id: 'one', url: 'http://10.0.0.1:80', weight: 3, max_connections: 7 },
  ],
  ['server', { server: 'backup' }, `${B}.backends[0].weight`, 0],
  ['default-server', { back: 'default-server check fall 7' }, `${B}.health.fall`, 7],
  [
    'cookie',
    { back: 'cookie SRV insert maxidle 1h' },
    `${B}.sticky`,
    { by: 'cookie', name: 'SRV', idle: '1h' },
  ],
  ['stick on', { back: 'stick on src' }, `${B}.sticky.by`, 'ip'],
  [
    'stick-table',
    { back: 'stick on src\n  stick-table type ip size 1m expire 10m' },
    `${B}.sticky.idle`,
    '10m',
  ],
  ['option httpchk', { back: 'option httpchk GET /up', server: 'check' }, `${B}.health.path`, '/up'],
  ['option tcp-check', { back: 'option tcp-check', server: 'check' }, `${B}.health.type`, 'tcp'],
  [
    'http-check send',
    { back: 'option httpchk\n  http-check send meth GET uri /up', server: 'check' },
    `${B}.health.path`,
    '/up',
  ],
  [
    'http-check expect',
    { back: 'option httpchk\n  http-check expect status 204', server: 'check' },
    `${B}.health.expect_status`,
    [204],
  ],
  ['timeout connect', { defaults: 'timeout connect 7s' }, 'timeouts.connect', '7s'],
  ['timeout server', { defaults: 'timeout server 7s' }, 'timeouts.response', '7s'],
  ['timeout client', { defaults: 'timeout client 7s' }, 'timeouts.body_idle', '7s'],
  ['timeout http-request', { defaults: 'timeout http-request 7s' }, 'timeouts.request_header', '7s'],
  ['timeout http-keep-alive', { defaults: 'timeout http-keep-alive 7s' }, 'timeouts.idle', '7s'],
  ['timeout tunnel', { defaults: 'timeout tunnel 7m' }, 'timeouts.upgrade_idle', '7m'],
  ['timeout queue', { defaults: 'timeout queue 7s' }, `${B}.queue.timeout`, '7s'],
  ['timeout check', { defaults: 'timeout check 1s', server: 'check' }, `${B}.health.timeout`, '1s'],
  ['hard-stop-after', { global: 'hard-stop-after 7s' }, 'timeouts.shutdown', '7s'],
  ['retries', { defaults: 'retries 2' }, `${B}.retry.attempts`, 2],
  ['maxconn', { global: 'maxconn 700' }, 'limits.connections', 700],
  ['nbthread', { global: 'nbthread 3' }, 'workers', 3],
  [
    'compression algo',
    { front: 'compression algo gzip' },
    `${FRONT}.plugins`,
    [{ name: 'compression', codings: ['gzip'] }],
  ],
  ['compression algo', { front: 'compression algo deflate' }, /no deflate/],
  [
    'compression type',
    { back: 'compression algo gzip\n  compression type text/css' },
    `${FRONT}.plugins[0].types`,
    ['text/css'],
  ],
  [
    'http-request set-header',
    { front: 'http-request set-header X-A %[src]' },
    `${FRONT}.request_headers.set`,
    { 'X-A': '{client}' },
  ],
  [
    'http-request add-header',
    { front: 'http-request add-header X-A b' },
    `${FRONT}.request_headers.add`,
    { 'X-A': 'b' },
  ],
  [
    'http-request del-header',
    { front: 'http-request del-header X-A' },
    `${FRONT}.request_headers.remove`,
    ['X-A'],
  ],
  [
    'http-request replace-header',
    { front: 'http-request replace-header X-A a b' },
    /replace-header: not translated/,
  ],
  [
    'http-request replace-value',
    { front: 'http-request replace-value X-A a b' },
    /replace-value: not translated/,
  ],
  [
    'http-response set-header',
    { back: 'http-response set-header X-A b' },
    `${FRONT}.response_headers.set`,
    { 'X-A': 'b' },
  ],
  [
    'http-response add-header',
    { back: 'http-response add-header X-A b' },
    `${FRONT}.response_headers.add`,
    { 'X-A': 'b' },
  ],
  [
    'http-response del-header',
    { back: 'http-response del-header Server' },
    `${FRONT}.response_headers.remove`,
    ['Server'],
  ],
  [
    'http-response replace-header',
    { back: 'http-response replace-header X-A a b' },
    /replace-header: not translated/,
  ],
  [
    'http-response replace-value',
    { back: 'http-response replace-value X-A a b' },
    /replace-value: not translated/,
  ],
  [
    'http-after-response set-header',
    { front: 'http-after-response set-header X-A b' },
    `${FRONT}.response_headers.set`,
    { 'X-A': 'b' },
  ],
  [
    'http-after-response add-header',
    { front: 'http-after-response add-header X-A b' },
    `${FRONT}.response_headers.add`,
    { 'X-A': 'b' },
  ],
  [
    'http-after-response del-header',
    { front: 'http-after-response del-header X-A' },
    `${FRONT}.response_headers.remove`,
    ['X-A'],
  ],
  [
    'http-request redirect',
    { front: 'http-request redirect location /a code 301' },
    `${FRONT}.redirect`,
    { to: '/a', status: 301 },
  ],
  [
    'redirect',
    { front: 'redirect prefix https://a.example' },
    `${FRONT}.redirect.to`,
    'https://a.example{path}{query}',
  ],
  [
    'http-request deny',
    { front: 'http-request deny if { src ::1 }' },
    `${FRONT}.clients`,
    { deny: ['::1/128'] },
  ],
  ['http-request deny', { front: 'http-request deny if { method PUT }' }, LETS_IN],
  [
    'http-request tarpit',
    { front: 'http-request tarpit if { src ::1 }' },
    `${FRONT}.clients`,
    { deny: ['::1/128'] },
  ],
  [
    'http-request reject',
    { front: 'http-request reject if { src ::1 }' },
    `${FRONT}.clients`,
    { deny: ['::1/128'] },
  ],
  [
    'http-request silent-drop',
    { front: 'http-request silent-drop if { src ::1 }' },
    /changed: who is turned away gets 403/,
  ],
  [
    'http-request allow',
    { front: 'http-request allow if { src ::1 }\n  http-request deny' },
    `${FRONT}.clients`,
    { allow: ['::1/128'] },
  ],
  ['http-request auth', { front: 'http-request auth' }, LETS_IN],
  [
    'http-request auth',
    { front: 'http-request auth if { path_beg /a/ }' },
    'routes[1].clients.deny',
    ['0.0.0.0/0', '::/0'],
  ],
  [
    'tcp-request connection',
    { front: 'tcp-request connection reject if { src ::1 }' },
    `${FRONT}.clients`,
    { deny: ['::1/128'] },
  ],
  ['tcp-request connection', { front: 'tcp-request connection track-sc0 src' }, LETS_IN],
  ['tcp-request content', { front: 'tcp-request content reject' }, LETS_IN],
  ['option forwardfor', { defaults: 'option forwardfor' }],
  ['option redispatch', { defaults: 'option redispatch' }],
  ['option http-keep-alive', { defaults: 'option http-keep-alive' }],
  ['option http-server-close', { defaults: 'option http-server-close' }],
  ['option httplog', { defaults: 'option httplog' }, /there is no log of requests/],
  ['option dontlognull', { defaults: 'option dontlognull' }],
  ['option tcplog', { defaults: 'option tcplog' }],
  ['timeout client-fin', { defaults: 'timeout client-fin 7s' }],
  ['timeout server-fin', { defaults: 'timeout server-fin 7s' }],
  ['stats', { front: 'stats enable' }, /stats: not translated: metrics are at/],
  ['errorfile', { defaults: 'errorfile 503 /a.http' }, /errors are application\/problem\+json/],
  ['log', { global: 'log /dev/log local0' }, /the log goes to standard output/],
  ['daemon', { global: 'daemon' }],
  ['user', { global: 'user haproxy' }],
  ['group', { global: 'group haproxy' }],
  ['chroot', { global: 'chroot /var/lib/haproxy' }],
  ['pidfile', { global: 'pidfile /run/haproxy.pid' }],
  ['ca-base', { global: 'ca-base /etc/ssl' }, /ca-base: not translated: write whole paths/],
  ['crt-base', { global: 'crt-base /etc/ssl' }, /crt-base: not translated: write whole paths/],
  ['ssl-default-bind-ciphers', { global: 'ssl-default-bind-ciphers A' }, /write `ciphers` at the listener/],
  ['ssl-default-bind-ciphersuites', { global: 'ssl-default-bind-ciphersuites A' }],
  ['ssl-default-bind-options', { global: 'ssl-default-bind-options no-sslv3' }],
  ['ssl-default-server-ciphers', { global: 'ssl-default-server-ciphers A' }],
  ['ssl-default-server-options', { global: 'ssl-default-server-options no-sslv3' }],
  ['tune.ssl.default-dh-param', { global: 'tune.ssl.default-dh-param 2048' }],
];

describe('a keyword of HAProxy', () => testDirectives(HAPROXY_KEYWORDS, 'haproxy', fileOf, ROWS));
