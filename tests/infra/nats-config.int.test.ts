import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { tempDir } from '@usher/testing';
import { expect, test } from 'vitest';
import { read } from './compose-file.ts';

test('a NATS server accepts the configuration', () => {
  const { stdout: version, error } = spawnSync('nats-server', ['--version'], { encoding: 'utf8' });
  if (error !== undefined) throw new Error('nats-server is not installed: apt-get install nats-server');
  const [, minor = 0] = /v2\.(\d+)/.exec(version) ?? [];
  const config = read('infra/nats/nats.conf');
  expect(config).toMatch(/^ {2}sync_interval: always$/m);
  const dir = tempDir();
  const file = path.join(dir.path, 'nats.conf');
  // Servers before 2.10, such as Debian 12's, refuse the one setting that they do not know.
  writeFileSync(file, Number(minor) >= 10 ? config : config.replace(/^ {2}sync_interval: always$/m, ''));
  const { status, stderr } = spawnSync('nats-server', ['-t', '-c', file], { encoding: 'utf8' });
  expect(stderr).toContain('is valid');
  expect(status).toBe(0);
  dir.remove();
});
