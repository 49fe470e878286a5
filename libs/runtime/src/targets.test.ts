import { parseBackendUrl } from '@usher/domain';
import { expect, test } from 'vitest';
import { targetsOf } from './targets.ts';

function allows(url: string, settings?: Parameters<typeof targetsOf>[0]): boolean {
  const origin = parseBackendUrl(url);
  if (typeof origin === 'string') throw new Error(origin);
  return targetsOf(settings).allowsHost(origin);
}

test.each([
  'http://169.254.169.254',
  'http://169.254.0.1:8080',
  'http://[fe80::1]:80',
  'http://[::ffff:169.254.169.254]',
  'http://[::ffff:a9fe:a9fe]',
  'http://[64:ff9b::a9fe:a9fe]',
  'http://[2002:a9fe:a9fe::1]',
  'http://[fd00:ec2::254]',
  'http://100.100.100.200',
  'http://0.0.0.0:9091',
  'http://[::]:9091',
  'http://224.0.0.1',
  'http://255.255.255.255',
])('%s is refused unless it is meant', (url) => {
  expect(allows(url)).toBe(false);
  expect(allows(url, { networks: ['0.0.0.0/0', '::/0'], names: [] })).toBe(false);
});

test.each([
  'http://10.0.0.1',
  'http://[fd00::1]:80',
  'http://127.0.0.1:1',
  'http://203.0.113.7',
  'http://gpu.example.com',
])('%s is allowed where nothing is said', (url) => {
  expect(allows(url)).toBe(true);
});

test('a list allows its networks and names, and nothing else', () => {
  const listed = { networks: ['10.0.0.0/8', 'fd00::/8'], names: ['gpu.example.com', '*.farm.example.com'] };
  const seen = [
    'http://10.1.2.3',
    'http://[fd00::1]',
    'http://[::ffff:10.1.2.3]',
    'http://GPU.example.com',
    'http://a.b.farm.example.com',
    'http://11.0.0.1',
    'http://127.0.0.1',
    'http://farm.example.com',
    'http://gpu.example.com.evil.example',
    'http://evilfarm.example.com',
  ].filter((url) => allows(url, listed));
  expect(seen).toHaveLength(5);
});

test('a forbidden network is allowed by one that lies within it', () => {
  const meant = { networks: ['169.254.7.0/24', '0.0.0.0/0'], names: [] };
  expect(['http://169.254.7.1', 'http://169.254.169.254'].map((url) => allows(url, meant))).toEqual([
    true,
    false,
  ]);
});

test('what is written like an address and is none is refused', () => {
  // Resolvers take each for 127.0.0.1 or 169.254.169.254.
  for (const host of ['2852039166', '169.254.43518', '127.1', '0x7f000001', '0x7f.1', '127.0.0.1.']) {
    expect(parseBackendUrl(`http://${host}`), host).toEqual(expect.any(String));
    const everywhere = { networks: ['0.0.0.0/0'], names: [] };
    for (const settings of [undefined, everywhere])
      expect(targetsOf(settings).allowsHost({ host, named: false }), host).toBe(false);
  }
});

test('a name may lead to the networks, and where there are none anywhere but to forbidden addresses', () => {
  const listed = targetsOf({ networks: ['10.0.0.0/8'], names: ['a.example'] });
  expect(['10.0.0.1', '::ffff:10.0.0.1', '127.0.0.1', '203.0.113.7'].map(listed.allowsAddress)).toEqual([
    true,
    true,
    false,
    false,
  ]);
  const { allowsAddress } = targetsOf({ networks: [], names: ['a.example'] });
  expect(
    ['10.0.0.1', '203.0.113.7', '169.254.169.254', 'fe80::1%eth0', '::ffff:169.254.169.254'].map(
      allowsAddress,
    ),
  ).toEqual([true, true, false, false, false]);
});
