import { expect, test } from 'vitest';
import { explainConfig } from './explain.ts';
import type { Disk } from './input/disk.ts';
import { parseConfigText } from './load.ts';
import { faultsOf } from './testing/faults-of.ts';

const encoder = new TextEncoder();
const files: Record<string, Uint8Array> = {
  '/run/token': encoder.encode('from a file\n'),
  '/etc/usher/creds': encoder.encode('-----BEGIN-----\nabc\n'),
  '/run/empty': encoder.encode('\n'),
  '/run/latin1': new Uint8Array([0x70, 0xe4]),
  '/run/large': new Uint8Array(70_000),
};
const disk: Disk = {
  readBytes(path) {
    if (path === '/run') throw Object.assign(new Error('is a directory'), { code: 'EISDIR' });
    const bytes = files[path];
    if (bytes === undefined) throw Object.assign(new Error('not there'), { code: 'ENOENT' });
    return bytes;
  },
  isFile: (path) => path in files,
};
const surroundings = { disk, folder: '/etc/usher' };

function token(secret: string): string {
  return `admin: { tokens: [{ name: ops, secret: ${JSON.stringify(secret)}, role: admin }] }`;
}

test.each([
  ['env:OPS_TOKEN', 'from the environment'],
  ['file:/run/token', 'from a file'],
  ['written out', 'written out'],
])('the secret %s is resolved', (written, secret) => {
  const { local } = parseConfigText(token(written), {
    ...surroundings,
    env: { OPS_TOKEN: 'from the environment' },
  });
  expect(local.admin?.tokens).toEqual([{ name: 'ops', secret, role: 'admin' }]);
});

test('credentials of NATS come from a file beside the configuration', () => {
  const { local } = parseConfigText(
    'bus: { servers: ["nats://a"], credentials: "file:creds" }\nstore: redis://r',
    surroundings,
  );
  expect(local.bus).toMatchObject({ credentials: '-----BEGIN-----\nabc' });
});

test.each([
  ['redis://:env:PW@r:1', 'redis://:p%40s%2Fs@r:1'],
  ['redis://me:env:PW@r/3', 'redis://me:p%40s%2Fs@r:6379/3'],
  ['rediss://:file:/run/token@r', 'rediss://:from%20a%20file@r:6379'],
  ['redis://me:a%20b@r', 'redis://me:a%20b@r:6379'],
  ['env:URL', 'redis://:x@r:6379'],
])('the store %s is resolved', (written, url) => {
  const env = { PW: 'p@s/s', URL: 'redis://:x@r' };
  const { local } = parseConfigText(`store: ${JSON.stringify(written)}`, { ...surroundings, env });
  expect(local.store).toEqual({ type: 'redis', url });
});

test.each([
  ['env:NOT_SET', 'the environment variable NOT_SET is not set'],
  ['env:EMPTY', 'the environment variable EMPTY is empty'],
  ['env:', 'env: must be followed by the name of a variable'],
  ['env:A-B', 'env: must be followed by the name of a variable'],
  ['file:', 'file: must be followed by the path of a file'],
  ['file:none', 'there is no such file: none'],
  ['file:/run', 'this is a directory, not a file: /run'],
  ['file:/run/empty', 'the file is empty: /run/empty'],
  ['file:/run/latin1', 'the file is not UTF-8: /run/latin1'],
  ['file:/run/large', 'the file is longer than 65536 bytes: /run/large'],
  ['', 'expected the text of the token, found nothing'],
])('the secret %j that cannot be resolved is a fault at its place', (written, message) => {
  const faults = faultsOf(token(written), { ...surroundings, env: { EMPTY: '' } });
  expect(faults).toEqual([`1:40 admin.tokens[0].secret: ${message}`]);
});

test('a variable that only a secret refers to is no unknown key', () => {
  const env = { USHER_ADMIN_TOKEN: 'x' };
  expect(faultsOf(token('env:USHER_ADMIN_TOKEN'), { env })).toEqual([]);
  expect(faultsOf('{}', { env })).toHaveLength(1);
});

test.each([
  'admin: { tokens: [S3CRET] }',
  'admin: { tokens: S3CRET }',
  'admin: { tokens: [{ name: a, secrte: S3CRET, role: read }] }',
  'admin: { tokens: [{ name: a, secret: [S3CRET], role: read }] }',
  'admin: { tokens: [{ name: a, secret: "file:S3CRET\\0", role: read }] }',
  'store: S3CRET',
  'store: http://:S3CRET@a',
  'store: redis://S3CRET@a',
  'store: redis://a:S3CRET@b/c',
  'store: "redis://:S3CRET@a b"',
  'store: { url: redis://:S3CRET@a }',
  'bus: nats://me:S3CRET@a',
  'bus: { servers: ["nats://me:S3CRET@a"] }',
  'bus: { servers: nats://me:S3CRET@a, credentials: { key: S3CRET } }',
  'pools: { web: { backends: ["http://me:S3CRET@a", { url: "http://me:S3CRET@a" }] } }',
  'store: "redis://:S3CRET@a',
  'store: redis://:S3CRET@a: b',
])('a fault does not show the secret in %s', (text) => {
  const shown = faultsOf(text).join('\n');
  expect(shown).not.toBe('');
  expect(shown).not.toContain('S3CRET');
});

test('an explanation does not show secrets', () => {
  const env = { USHER_STORE: 'redis://:S3CRET@a', TOKEN: 'S3CRET' };
  const text = `${token('S3CRET')}\npools: { a: {} }\nroutes: [{ path: /*, pool: a, plugins: [{ name: auth, file: auth.ts, key: S3CRET }] }]`;
  const disk = { readBytes: () => new Uint8Array(), isFile: () => true };
  const config = parseConfigText(text, { env, disk });
  expect(JSON.stringify(explainConfig(config))).not.toContain('S3CRET');
  const shown = new Map(explainConfig(config).map(({ path, value, origin }) => [path, `${value} ${origin}`]));
  expect(shown.get('store')).toBe('redis://***@a env USHER_STORE');
  expect(shown.get('admin.tokens[0].secret')).toBe('(hidden) usher.yaml:1:40');
});
