import { describe } from 'vitest';
import { type DirectiveRow, testDirectives } from '../testing/directive-rows.ts';
import { NGINX_DIRECTIVES } from './table.ts';

/** Directives beside those that every file has, by the block that they stand in. */
interface Parts {
  readonly main?: string;
  readonly http?: string;
  readonly upstream?: string;
  /** Options of the one server of the upstream. */
  readonly backend?: string;
  readonly server?: string;
  readonly location?: string;
}

const fileOf = ({
  main = '',
  http = '',
  upstream = '',
  backend = '',
  server = '',
  location = '',
}: Parts = {}) =>
  `${main} http { ${http} upstream u { ${upstream} server 10.0.0.1:80 ${backend}; }
  server { listen 8080; ${server} location / { ${location} proxy_pass http://u; } } }`;

const U = 'pools.u';
const ROUTE = 'routes[0]';
const TLS = 'listen 443 ssl; ssl_certificate a.pem; ssl_certificate_key a.key;';
const CERTIFICATE = 'listen[1].tls.certificates[0]';
const CLOSED = [{ path: '/*', pool: 'closed' }];
const FILES = /Usher serves no files/;
const secure = (location: string) => ({
  server: `location /s/ { proxy_pass https://10.0.0.2:8443; ${location} }`,
});
const SECURE = 'pools.10-0-0-2-8443.tls';

const ROWS: readonly DirectiveRow<Parts>[] = [
  ['http', {}, ROUTE, { path: '/*', pool: 'u' }],
  ['worker_processes', { main: 'worker_processes auto;' }, 'workers', 'auto'],
  ['upstream', {}, `${U}.strategy`, 'round_robin'],
  [
    'server (of an upstream)',
    { backend: 'weight=3 max_conns=7' },
    `${U}.backends[0]`,
    { id: '10-0-0-1-80', url: 'http://10.0.0.1', weight: 3, max_connections: 7 },
  ],
  ['server (of an upstream)', { backend: 'slow_start=7s' }, `${U}.slow_start`, '7s'],
  ['server (of an upstream)', { backend: 'max_fails=7 fail_timeout=9s' }, `${U}.breaker.failures`, 7],
  ['server (of an upstream)', { backend: 'down' }, `${U}.backends[0].weight`, 0],
  ['least_conn', { upstream: 'least_conn;' }, `${U}.strategy`, 'least_connections'],
  ['ip_hash', { upstream: 'ip_hash;' }, `${U}.strategy`, 'ip_hash'],
  ['hash', { upstream: 'hash $uri;' }, `${U}.hash`, { by: 'path' }],
  ['random', { upstream: 'random two;' }, `${U}.strategy`, 'p2c'],
  ['least_time', { upstream: 'least_time header;' }, `${U}.strategy`, 'least_response_time'],
  ['sticky', { upstream: 'sticky cookie srv;' }, `${U}.sticky.name`, 'srv'],
  ['health_check', { location: 'health_check uri=/up;' }, `${U}.health.path`, '/up'],
  ['server', {}, 'routes', [{ path: '/*', pool: 'u' }]],
  ['server', { http: 'server { listen 81; }' }, /server: not translated: nothing in it can be translated/],
  ['listen', {}, 'listen', [{ address: '0.0.0.0:8080' }]],
  ['http2', { server: 'http2 off;' }, 'listen[0].http2', false],
  [
    'server_name',
    { http: 'server { server_name a.example; location / { proxy_pass http://u; } }' },
    `${ROUTE}.host`,
    'a.example',
  ],
  ['location', { server: 'location = /a { proxy_pass http://u; }' }, `${ROUTE}.path`, '/a'],
  ['location', { server: 'location ~ a { proxy_pass http://u; }' }, /only prefixes and exact paths/],
  ['proxy_pass', { server: 'location /a/ { proxy_pass http://u/; }' }, `${ROUTE}.rewrite`, { strip: '/a' }],
  [
    'grpc_pass',
    { server: 'location /a/ { grpc_pass grpc://10.0.0.2:81; }' },
    'pools.10-0-0-2-81.http2',
    true,
  ],
  ['proxy_ssl_verify', secure('proxy_ssl_verify on;'), SECURE, { verify: true }],
  [
    'proxy_ssl_trusted_certificate',
    secure('proxy_ssl_verify on; proxy_ssl_trusted_certificate /ca;'),
    `${SECURE}.ca`,
    '/ca',
  ],
  ['proxy_ssl_name', secure('proxy_ssl_name a.example;'), `${SECURE}.server_name`, 'a.example'],
  ['ssl_certificate', { server: TLS }, `${CERTIFICATE}.cert`, 'a.pem'],
  ['ssl_certificate_key', { server: TLS }, `${CERTIFICATE}.key`, 'a.key'],
  ['ssl_protocols', { server: `${TLS} ssl_protocols TLSv1.3;` }, 'listen[1].tls.min_version', '1.3'],
  [
    'ssl_ciphers',
    { server: `${TLS} ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256;` },
    'listen[1].tls.ciphers',
    'ECDHE-RSA-AES128-GCM-SHA256',
  ],
  [
    'ssl_client_certificate',
    { server: `${TLS} ssl_client_certificate /ca; ssl_verify_client on;` },
    'listen[1].tls.client_ca',
    '/ca',
  ],
  [
    'ssl_verify_client',
    { server: `${TLS} ssl_client_certificate /ca; ssl_verify_client on;` },
    'listen[1].tls.client_auth',
    'required',
  ],
  ['proxy_connect_timeout', { http: 'proxy_connect_timeout 7s;' }, 'timeouts.connect', '7s'],
  ['proxy_read_timeout', { http: 'proxy_read_timeout 7s;' }, 'timeouts.response', '7s'],
  ['grpc_connect_timeout', { http: 'grpc_connect_timeout 7s;' }, 'timeouts.connect', '7s'],
  ['grpc_read_timeout', { http: 'grpc_read_timeout 7s;' }, 'timeouts.response', '7s'],
  ['client_header_timeout', { http: 'client_header_timeout 7s;' }, 'timeouts.request_header', '7s'],
  ['client_body_timeout', { http: 'client_body_timeout 7s;' }, 'timeouts.body_idle', '7s'],
  ['send_timeout', { http: 'send_timeout 7s;' }, 'timeouts.body_idle', '7s'],
  ['keepalive_timeout', { http: 'keepalive_timeout 7s;' }, 'timeouts.idle', '7s'],
  ['keepalive_requests', { http: 'keepalive_requests 7;' }, 'limits.requests_per_connection', 7],
  ['client_max_body_size', { http: 'client_max_body_size 2m;' }, 'limits.request_body', '2MiB'],
  ['proxy_next_upstream', { location: 'proxy_next_upstream off;' }, `${U}.retry.attempts`, 0],
  ['proxy_next_upstream_tries', { location: 'proxy_next_upstream_tries 3;' }, `${U}.retry.attempts`, 2],
  ['set_real_ip_from', { http: 'set_real_ip_from 10.0.0.0/8;' }, 'trusted_proxies', ['10.0.0.0/8']],
  [
    'gzip',
    { http: 'gzip on;' },
    `${ROUTE}.plugins`,
    [{ name: 'compression', codings: ['gzip'], types: ['text/html'] }],
  ],
  ['gzip', { http: 'gzip off;' }],
  ['gzip_min_length', { http: 'gzip on; gzip_min_length 2k;' }, `${ROUTE}.plugins[0].min_size`, '2KiB'],
  [
    'gzip_types',
    { http: 'gzip on; gzip_types text/css;' },
    `${ROUTE}.plugins[0].types`,
    ['text/html', 'text/css'],
  ],
  ['gzip_comp_level', { http: 'gzip on; gzip_comp_level 7;' }, `${ROUTE}.plugins[0].levels`, { gzip: 7 }],
  [
    'limit_req_zone',
    { http: 'limit_req_zone $remote_addr zone=z:1m rate=7r/s; limit_req zone=z;' },
    'rate_limit',
    { by: 'ip', rate: '7/s', burst: 1 },
  ],
  [
    'limit_req',
    { http: 'limit_req_zone $remote_addr zone=z:1m rate=7r/s;', location: 'limit_req zone=z burst=4;' },
    `${ROUTE}.rate_limit`,
    { by: 'ip', rate: '7/s', burst: 5 },
  ],
  ['proxy_set_header Host', { location: 'proxy_set_header Host $host;' }],
  [
    'proxy_set_header',
    { location: 'proxy_set_header X-Real-IP $remote_addr;' },
    `${ROUTE}.request_headers.set`,
    { 'X-Real-IP': '{client}' },
  ],
  [
    'proxy_set_header',
    { location: 'proxy_set_header X-Port $server_port;' },
    /X-Port .* variables that Usher has not/,
  ],
  ['add_header', { location: 'add_header X-A b always;' }, `${ROUTE}.response_headers.add`, { 'X-A': 'b' }],
  ['rewrite', { location: 'rewrite ^/a/(.*)$ /$1 break;' }, `${ROUTE}.rewrite`, { strip: '/a' }],
  ['rewrite', { location: 'rewrite ^/(a|b)$ /c break;' }, /rewrite: not translated/],
  ['return', { server: 'location /a/ { return 301 /b; }' }, `${ROUTE}.redirect`, { to: '/b', status: 301 }],
  ['return', { server: 'location /a/ { return 200 ok; }' }, /return: not translated/],
  ['root', { server: 'root /srv;' }, FILES],
  ['alias', { location: 'alias /srv;' }, FILES],
  ['try_files', { location: 'try_files $uri =404;' }, FILES],
  ['if', { server: 'if ($http_a) { return 403; }' }, /if: not translated: there are no conditions/],
  [
    'if',
    { server: `${TLS} if ($scheme = http) { return 308 https://$host$request_uri; }` },
    `${ROUTE}.redirect`,
    'https',
  ],
  ['include', { http: 'include sites/*;' }, /the file is not followed/],
  ['access_log', { http: 'access_log /a;' }, /there is no log of requests/],
  ['error_log', { http: 'error_log /a;' }, /the log goes to standard output/],
  ['internal', { location: 'internal;' }, /internal kept others out of it, so everybody is/],
  [
    'limit_except',
    { location: 'limit_except GET { deny all; }' },
    /limit_except kept others out of it, so everybody is/,
  ],
  ['auth_basic', { location: 'auth_basic staff;' }, 'routes', CLOSED],
  ['auth_request', { location: 'auth_request /a;' }, 'routes', CLOSED],
  ['allow', { location: 'allow 10.0.0.0/8; deny all;' }, `${ROUTE}.clients`, { allow: ['10.0.0.0/8'] }],
  ['deny', { location: 'deny 10.0.0.0/8;' }, `${ROUTE}.clients`, { deny: ['10.0.0.0/8'] }],
  ['proxy_http_version', { location: 'proxy_http_version 1.1;' }],
  ['proxy_buffering', { location: 'proxy_buffering off;' }],
  ['proxy_request_buffering', { location: 'proxy_request_buffering off;' }],
  ['keepalive', { upstream: 'keepalive 32;' }],
  ['zone', { upstream: 'zone u 64k;' }],
  ['events', { main: 'events { worker_connections 1024; }' }],
  ['user', { main: 'user www;' }],
  ['pid', { main: 'pid /run/a;' }],
  ['worker_rlimit_nofile', { main: 'worker_rlimit_nofile 7;' }],
  ['worker_cpu_affinity', { main: 'worker_cpu_affinity auto;' }],
  ['sendfile', { http: 'sendfile on;' }],
  ['tcp_nopush', { http: 'tcp_nopush on;' }],
  ['tcp_nodelay', { http: 'tcp_nodelay on;' }],
  ['types', { http: 'types { text/css css; }' }],
  ['default_type', { http: 'default_type text/plain;' }],
  ['types_hash_max_size', { http: 'types_hash_max_size 7;' }],
  ['server_names_hash_bucket_size', { http: 'server_names_hash_bucket_size 64;' }],
  ['log_format', { http: 'log_format a b;' }],
  ['server_tokens', { http: 'server_tokens off;' }],
  ['index', { server: 'index a.html;' }],
  ['proxy_buffers', { http: 'proxy_buffers 8 4k;' }],
  ['proxy_buffer_size', { http: 'proxy_buffer_size 4k;' }],
  ['proxy_busy_buffers_size', { http: 'proxy_busy_buffers_size 8k;' }],
  ['proxy_redirect', { location: 'proxy_redirect off;' }],
  ['proxy_cache_bypass', { location: 'proxy_cache_bypass $http_upgrade;' }],
  ['proxy_ssl_server_name', { location: 'proxy_ssl_server_name on;' }],
  ['real_ip_header', { http: 'real_ip_header X-Forwarded-For;' }],
  ['real_ip_recursive', { http: 'real_ip_recursive on;' }],
  ['ssl_session_cache', { http: 'ssl_session_cache shared:a:1m;' }],
  ['ssl_session_timeout', { http: 'ssl_session_timeout 1d;' }],
  ['ssl_session_tickets', { http: 'ssl_session_tickets off;' }],
  ['ssl_prefer_server_ciphers', { http: 'ssl_prefer_server_ciphers on;' }],
  ['ssl_dhparam', { http: 'ssl_dhparam /a;' }],
  ['gzip_vary', { http: 'gzip_vary on;' }],
  ['gzip_proxied', { http: 'gzip_proxied any;' }],
  ['map', { http: "map $http_upgrade $c { default upgrade; '' close; }" }],
];

describe('a directive of nginx', () => testDirectives(NGINX_DIRECTIVES, 'nginx', fileOf, ROWS));
