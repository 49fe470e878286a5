import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { tempDir } from '@usher/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { end, type Started, start, USHER, usher } from './support/command.ts';
import { freePort, freePorts, type Ports } from './support/ports.ts';
import { isReady } from './support/usher-process.ts';
import { until } from './support/wait.ts';

let directory: ReturnType<typeof tempDir>;
let running: Started;
let ports: Ports;
let opsen: number;

const file = (name = 'usher.yaml') => path.join(directory.path, name);

interface Access {
  readonly tokens: string;
  readonly keys?: string;
  readonly host?: string;
}

function config({ tokens, keys = '[file:key.txt]', host = '127.0.0.1' }: Access): string {
  return `name: usher-1
listen: ["127.0.0.1:${ports.traffic}"]
admin: { address: "${host}:${ports.admin}", tokens: ${tokens} }
metrics: { address: "127.0.0.1:${ports.metrics}" }
opsen: { address: "127.0.0.1:${opsen}", pool: web, keys: ${keys} }
workers: 1
pools: { web: { agents: true, health: { type: none } } }
routes: [{ path: "/*", pool: web }]
`;
}

const TOKENS = '[{ name: ops, secret: "file:adm.txt", role: admin }]';

async function statusFor(token: string): Promise<number> {
  const { status } = await fetch(`http://127.0.0.1:${ports.admin}/v1/status`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return status;
}

/** 400 for whoever is let in with nothing to say, 403 for others. */
async function opsenFor(key: string): Promise<number> {
  const headers = { 'x-api-key': key, 'content-type': 'application/json' };
  return (await fetch(`http://127.0.0.1:${opsen}/register`, { method: 'POST', headers, body: '{}' })).status;
}

/** Where a refused file shows. */
async function shown() {
  const [health, metrics] = await Promise.all(
    ['health', 'metrics'].map((name) => fetch(`http://127.0.0.1:${ports.metrics}/${name}`)),
  );
  const { stdout } = await usher(
    ['status', '--admin', `http://127.0.0.1:${ports.admin}`, '--token', 'file:adm.txt'],
    directory.path,
  );
  return {
    health: health?.status,
    report: await health?.text(),
    valid: /^usher_config_valid (\d)$/m.exec((await metrics?.text()) ?? '')?.[1],
    told: stdout.split('\n').find((line) => line.startsWith('degraded: config: ')),
  };
}

const isValid = (valid: string) => until(`it is ${valid}`, async () => (await shown()).valid === valid);

/** Entries of the process's log with this message. */
const logged = (message: string) =>
  running
    .output()
    .split('\n')
    .slice(0, -1)
    .map((line): Record<string, unknown> => JSON.parse(line))
    .filter((entry) => entry['message'] === message);

beforeEach(async () => {
  directory = tempDir();
  ports = await freePorts();
  opsen = await freePort();
});

async function run(host?: string): Promise<void> {
  writeFileSync(file('adm.txt'), 'Zq8-first-v7Kd2mXw\n');
  writeFileSync(file('key.txt'), 'first-key\n');
  writeFileSync(file(), config({ tokens: TOKENS, host: host ?? '127.0.0.1' }));
  running = start(USHER, ['run', '--config', file()], directory.path);
  await until('ready', async () => {
    if (running.child.exitCode !== null) throw new Error(running.output());
    return await isReady(ports.metrics);
  });
}

afterEach(async () => {
  const { code, stdout, stderr } = await end(running, 'SIGTERM');
  directory.remove();
  expect(code, stdout + stderr).toBe(0);
});

test('a secret whose file changes, and another list of tokens or keys, count without a restart', async () => {
  await run();
  expect([await statusFor('Zq8-first-v7Kd2mXw'), await opsenFor('first-key')]).toEqual([200, 400]);
  writeFileSync(file('adm.txt'), 'Zq8-second-v7Kd2mXw\n');
  await until('the new secret counts', async () => (await statusFor('Zq8-second-v7Kd2mXw')) === 200);
  expect(await statusFor('Zq8-first-v7Kd2mXw')).toBe(401);
  const { code, stderr } = await usher(['status', '--config', file()]);
  expect(code, stderr).toBe(0);
  writeFileSync(file('key.txt'), 'second-key\n');
  await until('the new key counts', async () => (await opsenFor('second-key')) === 400);
  expect(await opsenFor('first-key')).toBe(403);
  writeFileSync(
    file(),
    config({ tokens: '[{ name: root, secret: of-root, role: admin }]', keys: '[third]' }),
  );
  await until('the new list counts', async () => (await statusFor('of-root')) === 200);
  expect([await statusFor('Zq8-second-v7Kd2mXw'), await opsenFor('second-key')]).toEqual([401, 403]);
  expect(await opsenFor('third')).toBe(400);
  expect(logged('settings that need a restart have changed')).toEqual([]);
  await until('both are told', () => logged('who may call has changed').length === 2);
  expect(logged('who may call has changed')).toMatchObject([
    { changed: 'ops' },
    { added: 'root', removed: 'ops' },
  ]);
  expect(running.output()).not.toMatch(/v7Kd2mXw|of-root|first-key|second-key|third/);
});

test('a file that is refused or gone shows in the status, the health and a metric until it is good again', async () => {
  await run();
  writeFileSync(file(), `${config({ tokens: TOKENS })}wrong: 1\n`);
  await isValid('0');
  const faulty = await shown();
  expect(faulty).toMatchObject({
    health: 200,
    told: expect.stringMatching(/since 20.*usher\.yaml:9:1 wrong: /),
  });
  expect(faulty.report).toContain('"config"');
  expect(faulty.report).not.toContain('wrong');
  rmSync(file());
  await until(
    'that it is gone is told',
    async () => (await shown()).told?.includes('there is no such file') === true,
  );
  writeFileSync(file(), config({ tokens: TOKENS }));
  await isValid('1');
  expect(await shown()).toMatchObject({ health: 200, told: undefined });
});

test('what would open an address that others still reach is not taken up, though its own is a loopback one', async () => {
  await run('0.0.0.0');
  for (const [tokens, cause] of [
    ['[]', 'there are no tokens'],
    ['[{ name: ops, secret: short, role: admin }]', 'the token ops is shorter than 16 characters'],
  ] as const) {
    writeFileSync(file(), config({ tokens }));
    await until(`it is told that ${cause}`, () =>
      logged('the configuration cannot be used, the old one stays').some((entry) =>
        String(entry['cause']).includes(cause),
      ),
    );
  }
  expect([await statusFor('short'), await statusFor('Zq8-first-v7Kd2mXw')]).toEqual([401, 200]);
});
