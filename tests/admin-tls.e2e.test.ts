import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeCertificate, tempDir } from '@usher/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBackend } from './support/backend.ts';
import { end, start, USHER, usher } from './support/command.ts';
import { UsherProcess } from './support/usher-process.ts';
import { until } from './support/wait.ts';

const directory = tempDir();
const home = path.join(directory.path, 'home');
const authority = makeCertificate({ commonName: 'machines', authority: true });
const operators = makeCertificate({ commonName: 'operators', authority: true });
const admin = makeCertificate({ commonName: 'admin', names: ['localhost'], issuer: authority });
const ann = makeCertificate({ commonName: 'ann', issuer: operators });
const file = (name: string) => path.join(home, name);

let running: UsherProcess;
beforeAll(async () => {
  mkdirSync(home);
  const files = {
    'machines.pem': authority.cert,
    'operators.pem': operators.cert,
    'admin.pem': admin.cert,
    'admin.key': admin.key,
    'ann.pem': ann.cert,
    'ann.key': ann.key,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(file(name), text);
  running = await UsherProcess.start({
    directory: home,
    config: `pools: { web: { agents: true, health: { type: none } } }\nroutes: [{ path: "/*", pool: web }]\n`,
    adminKeys: `tokens: [
  { name: ops, secret: ops-secret, role: admin },
  { name: beside-b1, secret: b1-secret, role: agent, backend: b1 }],
  tls: { cert: admin.pem, key: admin.key, client_ca: operators.pem, client_auth: optional }`,
  });
});
afterAll(async () => {
  await running.kill9();
  directory.remove();
});

const url = () => `https://localhost:${running.ports.admin}`;
const asked = async (...options: string[]) =>
  await usher(['status', '--json', '--admin', url(), '--token', 'ops-secret', ...options], home);

test('who has the configuration trusts its certificate, whoever signed it and whatever its name', async () => {
  expect(await running.status()).toHaveProperty('digest');
});

test('others name the authority, and are told when it is not the one', async () => {
  expect((await asked('--ca', 'machines.pem')).code).toBe(0);
  const { code, stderr } = await asked('--ca', 'operators.pem');
  expect(code).toBe(1);
  expect(stderr).toContain(`no running system answers at ${url()}`);
  expect((await asked()).code).toBe(1);
  expect((await asked('--ca', 'none.pem')).code).toBe(2);
});

test('a certificate for another name is not believed', async () => {
  const other = `https://127.0.0.1:${running.ports.admin}`;
  const { code, stderr } = await usher(['status', '--admin', other, '--ca', 'machines.pem'], home);
  expect(code).toBe(1);
  expect(stderr).toContain('127.0.0.1');
});

test('the command proves itself with a certificate, and a wrong one ends the connection', async () => {
  const ca = ['--ca', 'machines.pem'];
  expect((await asked(...ca, '--cert', 'ann.pem', '--key', 'ann.key')).code).toBe(0);
  expect((await asked(...ca, '--cert', 'admin.pem', '--key', 'admin.key')).code).toBe(1);
  expect((await asked(...ca, '--cert', 'ann.pem')).code).toBe(2);
});

test('events are read over TLS, and changes are made', async () => {
  const backend = { pool: 'web', id: 'b9', url: 'http://127.0.0.1:1' };
  const options = Object.entries(backend).flatMap(([name, value]) => [`--${name}`, value]);
  const position = (await running.json<{ position: number }>('backends', 'add', ...options)).position;
  const { stdout } = await running.run('events', '--json', '--after', String(position - 1));
  expect(stdout).toContain('"b9"');
});

test('an agent reports over TLS to whom it trusts', async () => {
  const backend = await startBackend('b1');
  const options = ['--backend', 'b1', '--url', url(), '--token', 'b1-secret', '--ca', 'machines.pem'];
  const agent = start(USHER, ['agent', ...options, '--register', backend.url, '--pool', 'web'], home);
  try {
    await running.eligible('b1');
    await until('reports', async () => {
      const rows = await running.json<readonly { id: string; stats: unknown }[]>('backends');
      return rows.some(({ id, stats }) => id === 'b1' && stats !== null);
    });
  } finally {
    await end(agent, 'SIGTERM');
    await backend.stop();
  }
});
