import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { tempDir } from '@usher/testing';
import { describe, expect, test } from 'vitest';
import { parseBackends, readBackendsFile } from './backends-file.ts';
import { parseConfigText } from './load.ts';

const BOUNDS = { refreshMinMs: 5_000, refreshMaxMs: 60_000 };

const parse = (text: string) => parseBackends(text, 'web.yaml', 'web');

function pool(discovery: string, more = '') {
  return parseConfigText(`pools: { web: { discovery: ${discovery}${more} } }`, { folder: '/etc/usher' })
    .shared.pools[0];
}

describe('where backends are found', () => {
  test.each([
    [
      '{ dns: "http://Web.internal:3000" }',
      { by: 'dns', tls: false, name: 'web.internal', port: 3000, ...BOUNDS },
    ],
    [
      '{ srv: _http._tcp.Web.internal, servers: [127.0.0.1:8600, 10.0.0.2, "[fd00::2]:53", "fd00::3"], refresh_min: 1s, refresh_max: 2s }',
      {
        by: 'srv',
        tls: false,
        name: '_http._tcp.web.internal',
        refreshMinMs: 1000,
        refreshMaxMs: 2000,
        servers: ['127.0.0.1:8600', '10.0.0.2:53', '[fd00::2]:53', '[fd00::3]:53'],
      },
    ],
    ['{ file: backends.yaml }', { by: 'file', file: '/etc/usher/backends.yaml' }],
  ])('is read: %s', (written, settings) => {
    expect(pool(written)?.discovery).toStrictEqual(settings);
  });

  test('over TLS, certificates are for the name that was looked up unless another is given', () => {
    expect(pool('{ dns: "https://web.internal" }')?.tls?.serverName).toBe('web.internal');
    expect(pool('{ dns: "https://web.internal" }', ', tls: { server_name: a.b }')?.tls?.serverName).toBe(
      'a.b',
    );
    expect(
      pool('{ srv: _h._tcp.b, scheme: https }', ', tls: { verify: false }')?.tls?.serverName,
    ).toBeUndefined();
  });

  test.each([
    ['{}', 'needs one of dns, srv and file'],
    ['{ dns: "http://a.b", file: x }', 'there is dns already; a pool has one source'],
    ['{ dns: "http://10.0.0.1" }', 'this is an address, which nobody has to look up; list it in backends'],
    ['{ dns: "http://_a.b" }', 'must be an origin'],
    ['{ srv: "http://a.b" }', 'is not a host name'],
    ['{ file: a, scheme: http }', 'has no meaning without srv'],
    [
      '{ srv: a.b, scheme: https }',
      'with https the pool needs tls.server_name: the name in the certificates',
    ],
    ['{ dns: "http://a.b", refresh_min: 2m }', 'is longer than refresh_max'],
    ['{ file: x, servers: [10.0.0.1] }', 'has no meaning without dns or srv'],
    ['{ dns: "http://a.b", servers: [dns.internal] }', 'is not the address of a name server'],
    ['{ dns: "http://a.b", servers: [":53"] }', 'is not the address of a name server'],
    ['{ dns: "http://a.b", servers: ["10.0.0.1:0"] }', 'is not the address of a name server'],
  ])('is refused: %s', (written, message) => {
    expect(() => pool(written)).toThrow(message);
  });
});

describe('a file of backends', () => {
  test('lists them as a pool does, in YAML or in JSON', () => {
    const expected = [
      { id: 'a', pool: 'web', url: 'http://10.0.0.1:3000', weight: 2, maxConnections: 0 },
      { id: 'web-10-0-0-2-80', pool: 'web', url: 'http://10.0.0.2', weight: 1, maxConnections: 0 },
      {
        id: 'web-fd00--1-443',
        pool: 'web',
        url: 'https://[fd00::1]',
        weight: 1,
        maxConnections: 0,
        priority: 1,
      },
    ];
    const yaml =
      '- { id: a, url: "http://10.0.0.1:3000", weight: 2 }\n- http://10.0.0.2\n- { url: "https://[fd00::1]", priority: 1 }';
    const json = [
      { id: 'a', url: 'http://10.0.0.1:3000', weight: 2 },
      'http://10.0.0.2',
      { url: 'https://[fd00::1]', priority: 1 },
    ];
    expect(parse(yaml)).toEqual(expected);
    expect(parse(JSON.stringify(json))).toEqual(expected);
    expect(parse('[]')).toEqual([]);
  });

  test('tells every fault with its place', () => {
    const text =
      '- { id: a, url: "ftp://x" }\n- { id: b, url: http://b, wieght: 1 }\n- { id: b, url: http://c }\n';
    expect(() => parse(text)).toThrow(
      /^web\.yaml:1:17 \[0\]\.url: the scheme ftp:.*\nweb\.yaml:2:27 \[1\]\.wieght: unknown key, did you mean "weight"\?\nweb\.yaml:3:9 \[2\]\.id: "b" is given twice/,
    );
    for (const broken of ['', 'pools: {}', '- "http://a', '- http://a\n- http://a:80'])
      expect(() => parse(broken), broken).toThrow('web.yaml');
  });

  test('is refused when it is not there or no UTF-8', async () => {
    const directory = tempDir();
    const file = path.join(directory.path, 'web.json');
    await expect(readBackendsFile(file, 'web')).rejects.toThrow('there is no such file');
    writeFileSync(file, Buffer.from([0x2d, 0x20, 0xff]));
    await expect(readBackendsFile(file, 'web')).rejects.toThrow('the file is not UTF-8');
    writeFileSync(file, '["http://a"]');
    expect(await readBackendsFile(file, 'web')).toMatchObject([{ id: 'web-a-80' }]);
    directory.remove();
  });
});
