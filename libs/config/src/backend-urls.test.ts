import { parseBackendUrl } from '@usher/domain';
import { describe, expect, test } from 'vitest';
import { parseConfigText } from './load.ts';
import { faultsOf } from './testing/faults-of.ts';

const fileWith = (url: string) => `pools: { web: { backends: [ ${JSON.stringify(url)} ] } }`;

describe('the URL of a backend', () => {
  test.each([
    'http://LOCALHOST:80/',
    'https://a_b.example:443',
    'http://[::1]:3000',
    'http://10.0.0.1',
    'http://1a',
  ])('%s becomes one that gateways can use', (url) => {
    const [backend] = parseConfigText(fileWith(url), { folder: '/etc/usher' }).shared.backends;
    expect(parseBackendUrl(backend?.url ?? '')).toMatchObject({ port: expect.any(Number) });
  });

  test.each([
    ['http://0x7f.1:3000', 'neither an IP address nor a host name'],
    ['http://127.1:3000', 'neither an IP address nor a host name'],
    ['http://localhost.:3000', 'no dot at its end, did you mean "http://localhost:3000"?'],
    ['http://_a.b:3000', 'must be an origin'],
    ['http://[fe80::1%eth0]:3000', 'must be an origin'],
  ])('%s is a fault, as no gateway could use it', (url, message) => {
    expect(JSON.stringify(faultsOf(fileWith(url)))).toContain(JSON.stringify(message).slice(1, -1));
  });
});
