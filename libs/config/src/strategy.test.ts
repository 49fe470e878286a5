import { expect, test } from 'vitest';
import type { Disk } from './input/disk.ts';
import { parseConfigText } from './load.ts';

const disk: Disk = { readBytes: () => new Uint8Array(), isFile: () => true };

function poolWith(keys: string) {
  const { shared } = parseConfigText(`pools: { web: { ${keys} } }`, { disk, folder: '/etc/usher' });
  return shared.pools[0]!;
}

test('a pool says what its strategy hashes, headers in lower case and cookies as they are', () => {
  expect(poolWith('strategy: maglev, hash: { by: header, name: X-User }').hash).toEqual({
    by: 'header',
    name: 'x-user',
  });
  expect(poolWith('hash: { by: cookie, name: Session }').hash).toEqual({ by: 'cookie', name: 'Session' });
  expect(poolWith('hash: { by: path }').hash).toEqual({ by: 'path' });
});

test('a strategy of one’s own is named by an absolute path, also while another one is in use', () => {
  expect(poolWith('strategy: custom, strategy_file: lib/mine.mjs').strategyFile).toBe(
    '/etc/usher/lib/mine.mjs',
  );
  expect(poolWith('strategy: p2c, strategy_file: /mine.mjs')).toMatchObject({
    strategy: 'p2c',
    strategyFile: '/mine.mjs',
  });
  expect('strategyFile' in poolWith('strategy: p2c')).toBe(false);
});

test('a slow start has a unit', () => {
  expect(poolWith('slow_start: 30s').slowStartMs).toBe(30_000);
});
