import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import path from 'node:path';
import { loadConfig, parseConfigText } from '@usher/config';
import { tempDir } from '@usher/testing';
import { afterEach, expect, test } from 'vitest';
import { lookAtData, lookAtFiles } from './files.ts';
import { judgeOpenFiles, openFilesAllowed, openFilesOf } from './open-files.ts';
import { lookAtPorts } from './ports.ts';

const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const clean of cleanups.splice(0)) clean();
});

function folder(): string {
  const made = tempDir();
  cleanups.push(() => made.remove());
  return made.path;
}

const tokens = (secret: string) => `admin: { tokens: [{ name: a, role: admin, secret: "${secret}" }] }\n`;

const load = async (file: string) =>
  await loadConfig({ file, env: { TOKEN: 'a-token-of-some-length' }, overrides: [], hostname: 'h' });

test('a limit of open files below what the connections need is a warning, below the connections an error', () => {
  const config = parseConfigText('limits: { connections: 1000 }');
  expect(judgeOpenFiles(config, 1_000_000, 'it').level).toBe('ok');
  expect(judgeOpenFiles(config, 1_500, 'it')).toMatchObject({
    level: 'warning',
    remedy: expect.stringContaining('LimitNOFILE=2256'),
  });
  expect(judgeOpenFiles(config, 999, 'it').level).toBe('error');
});

test('the limit of this process is known, and of one that there is not nothing', () => {
  expect(openFilesAllowed()).toBeGreaterThan(0);
  expect(openFilesOf(2 ** 30)).toBeUndefined();
});

test('a configuration that every user may change is an error; one that tells a secret to all a warning', async () => {
  const file = path.join(folder(), 'usher.yaml');
  writeFileSync(file, tokens('env:TOKEN'));
  chmodSync(file, 0o644);
  expect(lookAtFiles(await load(file), file).map(({ level }) => level)).toEqual(['ok']);
  writeFileSync(file, tokens('written-out-and-long'));
  expect(lookAtFiles(await load(file), file)).toMatchObject([
    { level: 'warning', message: expect.stringContaining('every user may read (644)') },
  ]);
  chmodSync(file, 0o602);
  const [finding] = lookAtFiles(await load(file), file);
  expect(finding).toMatchObject({ level: 'error', remedy: `chmod o-w ${file}` });
  expect(JSON.stringify(finding)).not.toContain('written-out-and-long');
});

test('a file with a secret that the configuration refers to is looked at too', async () => {
  const dir = folder();
  const file = path.join(dir, 'usher.yaml');
  writeFileSync(path.join(dir, 'token'), 'a-secret-of-some-length');
  chmodSync(path.join(dir, 'token'), 0o644);
  writeFileSync(file, 'admin: { tokens: [{ name: a, role: admin, secret: "file:token" }] }\n', {
    mode: 0o600,
  });
  expect(lookAtFiles(await load(file), file)).toMatchObject([
    { level: 'warning', remedy: `chmod o-r ${path.join(dir, 'token')}` },
  ]);
});

test('a data directory that is not there yet is no fault, one that every user may change is', () => {
  const dir = folder();
  const config = parseConfigText('data: data', { folder: dir });
  expect(lookAtData(config)[0]?.message).toContain('will be made');
  mkdirSync(path.join(dir, 'data'));
  chmodSync(path.join(dir, 'data'), 0o777);
  expect(lookAtData(config)[0]).toMatchObject({ level: 'error', about: 'data' });
  expect(lookAtData(parseConfigText('bus: { servers: ["nats://h:1"] }\nstore: redis://h'))).toEqual([]);
});

test('a port that another process has is an error, unless it is the Usher that runs', async () => {
  const server: Server = createServer().listen(0, '127.0.0.1');
  cleanups.push(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { readonly port: number };
  const config = parseConfigText(
    `listen: ["127.0.0.1:${port}", "192.0.2.1:80"]\nadmin: none\nmetrics: none\n`,
  );
  const [held, elsewhere] = await lookAtPorts(config, false);
  expect(held).toMatchObject({ level: 'error', remedy: expect.stringContaining(`sport = :${port}`) });
  expect(elsewhere).toMatchObject({ level: 'error', message: expect.stringContaining('no such address') });
  expect((await lookAtPorts(config, true))[0]?.level).toBe('ok');
});

const jwtWith = (algorithm: string, key: string) =>
  `admin: { jwt: { issuer: i, audience: a, keys: [{ algorithm: ${algorithm}, key: ${JSON.stringify(key)} }] } }\n`;

test('the public half of a key is nobody’s secret, in its own file or written out', async () => {
  const dir = folder();
  const file = path.join(dir, 'usher.yaml');
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = publicKey.export({ type: 'spki', format: 'pem' });
  const levels = async () => lookAtFiles(await load(file), file).map(({ level }) => level);
  writeFileSync(path.join(dir, 'key.pem'), pem);
  writeFileSync(path.join(dir, 'shared'), 'Zq8w1nXc5Tt0yRb3Lk7vHs2Df6Gj9Pm4');
  for (const name of [file, 'key.pem', 'shared']) {
    writeFileSync(path.resolve(dir, name), '', { flag: 'a' });
    chmodSync(path.resolve(dir, name), 0o644);
  }
  for (const key of ['file:key.pem', pem]) {
    writeFileSync(file, jwtWith('ES256', key));
    expect(await levels()).toEqual(['ok']);
  }
  writeFileSync(file, jwtWith('HS256', 'file:shared'));
  expect(await levels()).toEqual(['warning']);
});
