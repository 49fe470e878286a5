import { expect, test } from 'vitest';
import type { Disk } from './input/disk.ts';
import { parseConfigText } from './load.ts';
import { faultsOf } from './testing/faults-of.ts';

const disk: Disk = { readBytes: () => new Uint8Array(), isFile: () => true };

test('a pool names the files for TLS by absolute paths, and its backends keep their scheme and port', () => {
  const text = `pools: { web: {
    tls: { ca: tls/ca.pem, cert: /keys/me.pem, key: /keys/me.key, server_name: API.example, verify: true },
    backends: ["https://A.example:443", "https://a.example:8443", "https://10.0.0.1"] } }`;
  const { shared } = parseConfigText(text, { disk, folder: '/etc/usher' });
  expect(shared.pools[0]?.tls).toEqual({
    ca: '/etc/usher/tls/ca.pem',
    cert: '/keys/me.pem',
    key: '/keys/me.key',
    serverName: 'api.example',
    verify: true,
  });
  const urls = shared.backends.map(({ url }) => url);
  expect(urls).toEqual(['https://a.example', 'https://a.example:8443', 'https://10.0.0.1']);
});

const faultsIn = (tls: string) => faultsOf(`pools: { web: { tls: { ${tls} } } }`, { disk });

test('a certificate without its key is a fault, and a key without its certificate', () => {
  expect(faultsIn('cert: a.pem')).toEqual(['1:30 pools.web.tls.cert: this needs key too']);
  expect(faultsIn('key: a.pem')).toEqual(['1:29 pools.web.tls.key: this needs cert too']);
});
