import { expect, test } from 'vitest';
import { explainConfig } from './explain.ts';
import type { Disk } from './input/disk.ts';
import { parseConfigText } from './load.ts';
import { faultsOf } from './testing/faults-of.ts';

const SECRET = 'long enough to be a key';
const disk: Disk = { readBytes: () => Buffer.from(`${SECRET}\n`), isFile: () => true };

function read(sticky: string, env: Record<string, string> = {}) {
  return parseConfigText(`pools: { web: { sticky: { ${sticky} } } }`, {
    disk,
    folder: '/etc/usher',
    env,
  });
}

const settingsOf = (sticky: string) => read(sticky).shared.pools[0]!.sticky;

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

test('a cookie has a name of its pool, and what makes it safe', () => {
  expect(settingsOf('by: cookie')).toEqual({
    by: 'cookie',
    name: 'usher_web',
    path: '/',
    sameSite: 'lax',
    secure: 'auto',
    keys: [],
    ttlMs: DAY_MS,
    idleMs: HOUR_MS,
    affinity: true,
  });
  expect(settingsOf('by: cookie, name: Usher, domain: .Example.com, ttl: 10m')).toMatchObject({
    name: 'Usher',
    domain: 'example.com',
    ttlMs: 600_000,
    idleMs: 600_000,
  });
});

test('a header is known in lower case, an address needs nothing', () => {
  expect(settingsOf('by: header, name: X-User, fallback: ip, affinity: false')).toEqual({
    by: 'header',
    name: 'x-user',
    fallback: 'ip',
    ttlMs: DAY_MS,
    idleMs: HOUR_MS,
    affinity: false,
  });
  expect(settingsOf('by: ip, idle: 5m')).toEqual({
    by: 'ip',
    ttlMs: DAY_MS,
    idleMs: 300_000,
    affinity: true,
  });
});

test('of keys only where they are becomes part of the settings', () => {
  const config = read('by: cookie, keys: [env:USHER_STICKY_KEY, "file:keys/old"]', {
    USHER_STICKY_KEY: SECRET,
  });
  const { sticky } = config.shared.pools[0]!;
  expect(sticky).toMatchObject({ keys: ['env:USHER_STICKY_KEY', 'file:/etc/usher/keys/old'] });
  expect(JSON.stringify([config, explainConfig(config)])).not.toContain(SECRET);
});

test.each([
  ['name: a', 'pools.p.sticky.by: missing; expected one of cookie, header, ip'],
  ['by: header', 'pools.p.sticky.by: this needs name: which header?'],
  ['by: ip, name: a', 'pools.p.sticky.name: has no meaning when by is ip'],
  ['by: header, name: a, secure: auto', 'pools.p.sticky.secure: has no meaning when by is header'],
  ['by: cookie, fallback: ip', 'pools.p.sticky.fallback: has no meaning when by is cookie'],
  [
    'by: cookie, same_site: none, secure: never',
    'pools.p.sticky.secure: browsers take a cookie with same_site none only if it is secure',
  ],
  [
    'by: cookie, keys: ["my secret in the open air"]',
    'pools.p.sticky.keys[0]: expected env:NAME or file:path, where a secret for cookies is',
  ],
  ['by: cookie, keys: [env:NOWHERE]', 'pools.p.sticky.keys[0]: the environment variable NOWHERE is not set'],
  ['by: cookie, path: "/;x"', 'pools.p.sticky.path: "/;x" is not the path of a cookie'],
])('%s is a fault', (keys, fault) => {
  expect(faultsOf(`pools: { p: { sticky: { ${keys} } } }`)).toEqual([expect.stringContaining(` ${fault}`)]);
});

test('whoever reserves by session has to say what a session is', () => {
  const keys = 'tiers: [{ name: a, vcpu: 1 }], reserve: session';
  expect(faultsOf(`pools: { p: { ${keys} } }`)).toEqual([
    '1:55 pools.p.reserve: without sticky no request belongs to a session; add sticky, or reserve by request',
  ]);
  expect(faultsOf(`pools: { p: { ${keys}, sticky: { by: ip } } }`)).toEqual([]);
});

test('a key that can be guessed is a fault', () => {
  const text = 'pools: { p: { sticky: { by: cookie, keys: [env:SHORT] } } }';
  expect(() => parseConfigText(text, { env: { SHORT: 'secret' } })).toThrow(
    'shorter than 22 characters: too easy to guess',
  );
});
