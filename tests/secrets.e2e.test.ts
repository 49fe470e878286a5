import { createHmac, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeCertificate, startNatsServer, startRedisServer, tempDir } from '@usher/testing';
import { nkeys } from 'nats';
import { expect, test } from 'vitest';
import { startBackend } from './support/backend.ts';
import { usher } from './support/command.ts';
import { UsherProcess } from './support/usher-process.ts';
import { until } from './support/wait.ts';

/** Everything that nobody but its owner may read again, by a name to tell it by. */
const secrets = {
  token: randomBytes(16).toString('hex'),
  agentToken: randomBytes(16).toString('hex'),
  hmacKey: randomBytes(24).toString('hex'),
  routeHmacKey: randomBytes(24).toString('hex'),
  opsenKey: randomBytes(16).toString('hex'),
  cookieKey: randomBytes(16).toString('hex'),
  redisPassword: randomBytes(16).toString('hex'),
  // What callers show without being let in is theirs too: a letter of a right one may be wrong.
  wrongToken: randomBytes(16).toString('hex'),
  tokenInQuery: randomBytes(16).toString('hex'),
  authorizationOfClient: randomBytes(16).toString('hex'),
  cookieOfClient: randomBytes(16).toString('hex'),
};

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

function signedToken(aud: string, key: string): string {
  const exp = Math.floor(Date.now() / 1000) + 600;
  const signed = `${part({ alg: 'HS256' })}.${part({ iss: 'i', aud, sub: 'ann', role: 'admin', exp })}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

test('no secret is in the output, the log, events, any answer, any error, or any file that is written', async () => {
  const directory = tempDir();
  const home = path.join(directory.path, 'home');
  mkdirSync(home);
  const user = nkeys.createUser();
  const seed = Buffer.from(user.getSeed()).toString();
  const admin = makeCertificate({ commonName: 'admin', names: ['localhost'] });
  const token = signedToken('usher', secrets.hmacKey);
  const tokenOfClient = signedToken('shop', secrets.routeHmacKey);
  const [signature = '', signatureOfClient = ''] = [token, tokenOfClient].map((each) => each.split('.')[2]!);
  const hidden = { ...secrets, seed, tlsKey: admin.key.split('\n')[1]!, signature, signatureOfClient };
  const given = {
    'admin.pem': admin.cert,
    'admin.key': admin.key,
    'nats.seed': seed,
    'cookie.key': secrets.cookieKey,
    'tokens.key': secrets.routeHmacKey,
  };
  for (const [name, text] of Object.entries(given)) writeFileSync(path.join(home, name), text);
  const nats = await startNatsServer(`authorization { users = [{ nkey: ${user.getPublicKey()} }] }`);
  const redis = await startRedisServer({ settings: { requirepass: secrets.redisPassword } });
  const backend = await startBackend('b1');
  const config = `bus: { servers: ["${nats.url}"], credentials: "file:nats.seed" }
store: "${redis.url.replace('//', `//:${secrets.redisPassword}@`)}"
opsen: { address: "127.0.0.1:0", pool: infer, keys: [${secrets.opsenKey}] }
logging: { level: debug, format: json }
pools:
  web:
    health: { type: none }
    sticky: { by: cookie, name: usher, keys: ["file:cookie.key"] }
    backends: [{ id: b1, url: "${backend.url}" }]
  infer: { agents: true, strategy: resource, health: { type: none } }
routes:
  - { path: "/*", pool: web }
  - { path: "/own", pool: web, jwt: { issuer: i, audience: shop, keys: [{ algorithm: HS256, key: "file:tokens.key" }] } }
`;
  const adminKeys = `tls: { cert: admin.pem, key: admin.key },
  tokens: [{ name: ops, secret: ${secrets.token}, role: admin }, { name: beside-b1, secret: ${secrets.agentToken}, role: agent, backend: b1 }],
  jwt: { issuer: i, audience: usher, keys: [{ algorithm: HS256, key: ${secrets.hmacKey} }] }`;
  const told: string[] = [];
  const running = await UsherProcess.start({ directory: home, config, adminKeys });
  try {
    await running.eligible('b1');
    const run = async (...args: readonly string[]) => {
      const { stdout, stderr } = await running.run(...args);
      told.push(stdout, stderr);
    };
    // What operators do, by a configured token and by a signed one, and what is refused.
    await run('drain', 'b1', '--reason', 'trying out');
    await run('enable', 'b1', '--token', token);
    await run('drain', 'b1', '--token', secrets.wrongToken);
    await run('drain', 'b1', '--token', `${token.slice(0, -2)}xx`);
    await run('status', '--token', secrets.agentToken);
    await run('drain', 'nobody');
    // What clients do.
    const headers = {
      authorization: `Bearer ${secrets.authorizationOfClient}`,
      cookie: `session=${secrets.cookieOfClient}; usher=v1.${secrets.cookieOfClient}`,
    };
    const seen = await fetch(`${running.traffic}/?token=${secrets.tokenInQuery}`, { headers });
    told.push(await seen.text());
    const authorization = `Bearer ${tokenOfClient}`;
    expect((await fetch(`${running.traffic}/own`, { headers: { authorization } })).status).toBe(200);
    const refused = await fetch(`${running.traffic}/%zz?token=${secrets.tokenInQuery}`, { headers });
    told.push(await refused.text());
    await running.eligible('b1');
    // Servers that go away are complained about, with their addresses.
    await redis.kill9();
    await nats.kill9();
    await until('both are missed', () => /redis/i.test(running.output) && /nats/i.test(running.output));
    await run('drain', 'b1');
    await redis.restart();
    await nats.restart();
    await until('the refusals are written', async () => {
      const { stdout } = await running.run('events', '--json', '--after', '0');
      return stdout.includes('admin.refused') && told.push(stdout) > 0;
    });
    for (const verb of ['status', 'backends', 'pools', 'routes']) await run(verb, '--json');
    await run('replay', '--digest', '--json');
    await run('check', running.configFile);
    await run('check', '--explain');
    told.push(await (await fetch(`http://127.0.0.1:${running.ports.metrics}/metrics`)).text());
    // A file with faults in every place where secrets are.
    const faulty = path.join(home, 'faulty.yaml');
    writeFileSync(
      faulty,
      `${readFileSync(running.configFile, 'utf8').replaceAll(', role: ', ', rule: ')}x: 1\n`,
    );
    const faults = await usher(['check', faulty], home);
    expect(faults.code).toBe(2);
    told.push(faults.stdout, faults.stderr);
    await running.stop();
    const own = new Set(
      [...Object.keys(given), 'usher.yaml', 'faulty.yaml'].map((name) => path.join(home, name)),
    );
    const files = [...filesBelow(home), ...filesBelow(nats.files)].filter((name) => !own.has(name));
    expect(files.length).toBeGreaterThan(0);
    const written = [running.output, ...told, ...files.map((name) => readFileSync(name, 'latin1'))];
    expect(running.output).toContain('an admin request was refused');
    for (const [name, secret] of Object.entries(hidden)) {
      const leaks = written.filter((text) => text.includes(secret));
      expect(
        leaks.map((text) => aroundOf(text, secret)),
        name,
      ).toEqual([]);
    }
  } finally {
    await running.kill9();
    await Promise.all([nats.stop(), redis.stop(), backend.stop()]);
    directory.remove();
  }
});

function aroundOf(text: string, secret: string): string {
  const at = text.indexOf(secret);
  return text.slice(Math.max(0, at - 80), at + secret.length + 20);
}
