import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { CIPHER_SUITE } from './certificate.ts';
import type { Profile } from './profiles.ts';
import type { Where } from './proxies.ts';

/** More requests than any run sends on one connection: both ends keep theirs open for good. */
const KEEPALIVE_REQUESTS = 1_000_000_000;

/** What a configuration file of Usher says: the file is JSON, which is YAML too. */
interface UsherFile {
  readonly listen: Readonly<Record<string, unknown>>;
  readonly pool: Readonly<Record<string, unknown>>;
  readonly route: Readonly<Record<string, unknown>>;
  /** Keys beside `listen`, `pools` and `routes`. */
  readonly others: Readonly<Record<string, unknown>>;
}

/** Changes the plain configuration. */
export type Alter = (plain: UsherFile) => UsherFile;

export function usherConfig(
  { port, backendPorts, directory, certificate }: Where,
  adminPort: number,
  metricsPort: number,
  alter: Alter,
): string {
  const tls = certificate && {
    certificates: [{ cert: certificate.cert, key: certificate.key }],
    min_version: '1.3',
    ciphers: CIPHER_SUITE,
  };
  const { listen, pool, route, others } = alter({
    listen: { address: `127.0.0.1:${port}`, ...(tls && { tls }) },
    pool: {
      strategy: 'least_connections',
      health: { type: 'http', path: '/', interval: '5s', timeout: '2s' },
      backends: backendPorts.map((each) => `http://127.0.0.1:${each}`),
    },
    route: { path: '/*', pool: 'web' },
    others: {
      workers: 1,
      admin: { address: `127.0.0.1:${adminPort}` },
      metrics: { address: `127.0.0.1:${metricsPort}` },
      data: path.join(directory, 'data'),
    },
  });
  return JSON.stringify({ ...others, listen: [listen], pools: { web: pool }, routes: [route] }, null, 2);
}

export function haproxyConfig({ port, backendPorts, certificate }: Where): string {
  const tls =
    certificate === undefined
      ? ''
      : ` ssl crt ${certificate.both} alpn http/1.1 ssl-min-ver TLSv1.3 ciphersuites ${CIPHER_SUITE}`;
  const servers = backendPorts.map((each, index) => `  server s${index} 127.0.0.1:${each} check inter 5s`);
  return `global
  nbthread 1
  maxconn 1000
defaults
  mode http
  timeout connect 3s
  timeout client 75s
  timeout server 30s
  timeout http-request 10s
  option http-keep-alive
  option forwardfor
  unique-id-format %{+X}o\\ %ci:%cp_%fi:%fp_%Ts_%rt:%pid
  unique-id-header X-Request-Id
frontend traffic
  bind 127.0.0.1:${port}${tls}
  http-response set-header X-Request-Id %[unique-id]
  default_backend web
backend web
  balance leastconn
  http-reuse always
${servers.join('\n')}
`;
}

/** Started by root, nginx would give its workers to a user who cannot read our directories. */
const nginxMain = (directory: string, workers: number) => `daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes ${workers};
pid ${path.join(directory, 'nginx.pid')};
error_log stderr warn;
events { worker_connections 1000; }
`;

/** Keeps nginx's temporary files out of the directories that belong to root. */
const nginxPaths = (directory: string) =>
  ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((each) => `  ${each}_temp_path ${path.join(directory, each)};`)
    .join('\n');

export function nginxProxyConfig({ port, backendPorts, directory, certificate }: Where): string {
  const tls =
    certificate === undefined
      ? ''
      : `
    ssl_certificate ${certificate.cert};
    ssl_certificate_key ${certificate.key};
    ssl_protocols TLSv1.3;
    ssl_conf_command Ciphersuites ${CIPHER_SUITE};`;
  const servers = backendPorts.map((each) => `    server 127.0.0.1:${each};`);
  return `${nginxMain(directory, 1)}http {
${nginxPaths(directory)}
  access_log off;
  keepalive_requests ${KEEPALIVE_REQUESTS};
  upstream web {
    least_conn;
${servers.join('\n')}
    keepalive 128;
    keepalive_requests ${KEEPALIVE_REQUESTS};
  }
  proxy_max_temp_file_size 0;
  server {
    listen 127.0.0.1:${port}${tls === '' ? '' : ' ssl'};${tls}
    location / {
      proxy_pass http://web;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Request-Id $request_id;
      add_header X-Request-Id $request_id;
    }
  }
}
`;
}

/** nginx takes no longer text than this in its configuration. */
const TEXT_BYTES_MAX = 4000;

/** The backend answers the same text to every request, from memory or, a long one, from a file in the kernel's cache. */
export function backendConfig(
  { body, responseHeaders }: Profile,
  ports: readonly number[],
  directory: string,
  workers: number,
): string {
  const headers = Object.entries(responseHeaders).map(
    ([name, value]) => `      add_header ${name} ${quoted(value)};`,
  );
  let answer = `return 200 ${quoted(body)};`;
  if (body.length > TEXT_BYTES_MAX) {
    writeFileSync(path.join(directory, 'body'), body);
    answer = `root ${directory}; try_files /body =404; sendfile on; open_file_cache max=10; etag off;`;
  }
  return `${nginxMain(directory, workers)}http {
${nginxPaths(directory)}
  access_log off;
  keepalive_requests ${KEEPALIVE_REQUESTS};
  keepalive_timeout 1h;
  default_type text/html;
  server {
${ports.map((port) => `    listen 127.0.0.1:${port};`).join('\n')}
    location / {
${headers.join('\n')}
      ${answer}
    }
  }
}
`;
}

function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`;
}
