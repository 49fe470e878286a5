import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BackendTlsSettings } from '@usher/domain';
import { makeCertificate, RecordingLog, tempDir } from '@usher/testing';
import { afterEach, expect, test } from 'vitest';
import { pool } from '../testing/fixtures.ts';
import { TlsFiles } from './tls-files.ts';

const folder = tempDir();
afterEach(() => {
  for (const name of ['ca.pem', 'cert.pem', 'key.pem']) rmSync(at(name), { force: true });
});

const at = (name: string) => join(folder.path, name);
const one = makeCertificate();
const two = makeCertificate();

function write(name: string, content: string): void {
  writeFileSync(at(name), content);
}

function files(changes: Partial<BackendTlsSettings> = {}) {
  const log = new RecordingLog();
  const read = new TlsFiles(log);
  const pools = [pool({ tls: { verify: true, ca: at('ca.pem'), ...changes } }), pool({ id: 'plain' })];
  return { look: () => read.read(pools), snapshot: () => read.snapshot(), log, read };
}

test('files are passed on when they are read first and when they changed', () => {
  write('ca.pem', one.cert);
  const { look, snapshot } = files({ serverName: 'a.test' });
  const row = { verify: true, serverName: 'a.test', ca: one.cert };
  expect(look()).toEqual([{ kind: 'tls', pool: 'web', tls: row }]);
  expect(look()).toEqual([]);
  write('ca.pem', two.cert);
  expect(look()).toEqual([{ kind: 'tls', pool: 'web', tls: { ...row, ca: two.cert } }]);
  expect(snapshot()).toEqual([{ kind: 'tls', pool: 'web', tls: { ...row, ca: two.cert } }]);
});

test('a file that cannot be used is told of once, and what was read before stays in force', () => {
  write('ca.pem', one.cert);
  const { look, log } = files();
  look();
  write('ca.pem', 'half a file');
  expect([look(), look()]).toEqual([[], []]);
  expect(log.entries.map(({ level, message }) => `${level}: ${message}`)).toEqual([
    'error: the TLS files of a pool cannot be used',
  ]);
  write('ca.pem', two.cert);
  expect(look()).toMatchObject([{ tls: { ca: two.cert } }]);
  expect(log.entries.at(-1)?.message).toBe('the TLS files of a pool can be used again');
});

test('without anything to go by, the fault itself is what connections fail with', () => {
  const { look } = files();
  expect(look()).toMatchObject([{ tls: { fault: `${at('ca.pem')} cannot be read: ENOENT` } }]);
  write('ca.pem', one.cert);
  const [delta] = look();
  expect(delta).toMatchObject({ tls: { ca: one.cert } });
  expect(delta).not.toHaveProperty('tls.fault');
});

test.each([
  ['a key of another certificate', one.cert, two.key],
  ['no key at all', one.cert, 'nothing'],
])('a certificate with %s cannot be used, and the key is not shown', (_what, cert, key) => {
  write('ca.pem', one.cert);
  write('cert.pem', cert);
  write('key.pem', key);
  const { look, log } = files({ cert: at('cert.pem'), key: at('key.pem') });
  expect(look()).toMatchObject([{ tls: { fault: expect.stringContaining(at('cert.pem')) } }]);
  expect(JSON.stringify(log.entries)).not.toContain('PRIVATE');
});

test('pools that are gone are forgotten', () => {
  write('ca.pem', one.cert);
  const { look, read, snapshot } = files();
  look();
  expect(read.read([])).toEqual([]);
  expect(snapshot()).toEqual([]);
});
