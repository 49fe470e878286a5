import { describe, expect, test } from 'vitest';
import { imported } from '../testing/imported.ts';

const CERTIFICATE = 'ssl_certificate a.pem; ssl_certificate_key a.key;';
const OPEN = { path: '/*', pool: 'a-1' };
/** Routes of a server with a location for everything and these lines beside it. */
const serverWith = (lines: string) =>
  imported(`http { server { location / { proxy_pass http://a:1; } ${lines} } }`, 'nginx');
const openOf = ({ notes }: { readonly notes: readonly string[] }) =>
  notes.filter((note) => / left open: /.test(note));
const hostsOf = ({ file }: { readonly file: Record<string, unknown> }) =>
  (file['routes'] as { host?: string; path: string }[]).map(({ host = 'all' }) => host);

describe('what is kept out of a location that Usher cannot ask about is kept out wholly', () => {
  test.each([
    ['= /x', '/x', 'internal;'],
    ['/x/', '/x/*', 'limit_except GET { deny all; }'],
    ['/x/', '/x/*', 'auth_jwt "x";'],
    ['/x/', '/x/*', 'valid_referers none; if ($invalid_referer) { return 403; }'],
    ['/x/', '/x/*', 'if ($http_user_agent ~ bad) { return 444; }'],
    ['/x/', '/x/*', 'satisfy any; allow 10.0.0.1; deny all; auth_basic "x";'],
    ['/y/', '/x/*', 'location /x/ { deny all; }'],
    ['/y/', '/x/*', 'location /z/ { location ^~ /x/ { return 404; } }'],
  ])('%s (%s) with %s', (path, closed, lines) => {
    const read = serverWith(`location ${path} { ${lines} proxy_pass http://b:1; }`);
    expect(read.file['routes']).toContainEqual({ path: closed, pool: 'closed' });
    expect(read.file['routes']).not.toContainEqual({ path: closed, pool: 'b-1' });
    expect(openOf(read)).toEqual([]);
  });
});

describe('what stays open is told before all else', () => {
  test.each([
    ['location ~ /\\.ht { deny all; }', /deny kept others out of it, and other locations now get/],
    ['location ~* \\.(sql|bak)$ { return 403; }', /return kept others out of it, and other locations/],
    ['location ~ ^/a { internal; proxy_pass http://b:1; }', /internal kept others out of it/],
    ['location /y/ { location ~ \\.key$ { deny all; } }', /deny kept others out of it/],
    ['location /.git { deny all; }', /kept others out of \/\.gitx as well/],
    ['location /.git { return 404; }', /kept others out of \/\.gitx as well/],
    ['if ($request_method = POST) { return 405; }', /if: left open: whom this turned away gets through/],
    ['include guards.conf;', /include: left open/],
  ])('%s', (lines, message) => {
    const read = serverWith(`expires 1h; ${lines}`);
    expect(read.notes[0]).toMatch(message);
    expect(openOf(read)).toHaveLength(1);
    expect(read.file['routes']).toContainEqual(OPEN);
  });

  test('but not where nobody was kept out', () => {
    const lines =
      'include mime.types; location @up { internal; proxy_pass http://b:1; } location ~ \\.php$ { proxy_pass http://b:1; }';
    expect(openOf(serverWith(`include /etc/nginx/proxy_params; ${lines}`))).toEqual([]);
  });
});

const server = (listen: string, name: string, more = '') =>
  `server { ${listen} server_name ${name}; ${more} location / { proxy_pass http://${name}:1; } }`;
const of = (...servers: string[]) => imported(`http { ${servers.join(' ')} }`, 'nginx');

describe('servers that others could not get at are left out with their listeners', () => {
  test.each([
    ['listen 80;', 'listen 127.0.0.1:81;'],
    ['listen [::]:80;', 'listen localhost:81;'],
    ['listen 80;', 'listen 10.0.0.1:80;'],
    ['listen 80;', 'listen unix:/run/n.sock;'],
    ['listen 203.0.113.1:80;', 'listen 10.0.0.1:80;'],
    ['listen 10.0.0.1:80;', 'listen 127.0.0.1:80;'],
    [`listen 80;`, `listen 443 ssl; ${CERTIFICATE} ssl_client_certificate ca.pem; ssl_verify_client on;`],
  ])('public: %s inside: %s', (wide, narrow) => {
    for (const servers of [
      [server(wide, 'wide'), server(narrow, 'narrow')],
      [server(narrow, 'narrow'), server(wide, 'wide')],
    ]) {
      // Of two addresses of which neither is wider the first one counts.
      const kept = wide.includes('203.') && servers[0]?.includes('narrow') === true ? 'narrow' : 'wide';
      const read = of(...servers);
      expect(hostsOf(read)).toEqual(['all']);
      expect(read.file['routes']).toEqual([{ path: '/*', pool: `${kept}-1` }]);
      expect(read.file['listen']).toHaveLength(1);
      expect(read.notes.join('\n')).toMatch(/server: not translated: it listens elsewhere/);
    }
  });

  test('those at the same addresses, or also at them, stay', () => {
    const both = of(server('listen 127.0.0.1:80;', 'one'), server('listen [::1]:81;', 'two'));
    expect(both.file['listen']).toHaveLength(2);
    expect(hostsOf(both)).toEqual(['one', 'all', 'two']);
    const also = of(server('listen 80;', 'one'), server('listen 127.0.0.1:81; listen 80;', 'two'));
    expect(hostsOf(also)).toEqual(['one', 'all', 'two']);
    expect([...both.notes, ...also.notes]).toEqual([]);
  });
});
