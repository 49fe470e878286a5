import { once } from 'node:events';
import { request } from 'node:https';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { AdminRefusals } from '@usher/domain';
import type { TlsMaterial } from '@usher/ports';
import { makeCertificate, RecordingLog, SimulatedClock } from '@usher/testing';
import { afterEach, expect, test } from 'vitest';
import { startAdminServer } from './admin-server.ts';
import { systemRandom } from './random.ts';

const authority = makeCertificate({ commonName: 'operators', authority: true });
const stranger = makeCertificate({ commonName: 'strangers', authority: true });
const ours = makeCertificate({ names: ['admin.example'] });
const renewed = makeCertificate({ commonName: 'renewed', names: ['admin.example'] });
const operator = makeCertificate({ commonName: 'ann', issuer: authority });
const forged = makeCertificate({ commonName: 'ann', issuer: { ...stranger, commonName: 'operators' } });
const over = makeCertificate({ commonName: 'ann', issuer: authority, notAfter: new Date(Date.now() - 1000) });

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const POLL_MS = 30_000;

async function start(changes: Partial<TlsMaterial> = {}) {
  const clock = new SimulatedClock();
  const log = new RecordingLog();
  const told: AdminRefusals[] = [];
  const held = { material: materialOf(ours, changes), fault: undefined as string | undefined };
  const server = await startAdminServer({
    host: '127.0.0.1',
    port: 0,
    tokens: [{ name: 'ops', secret: 'a-token-of-ours', role: 'admin' }],
    allow: ['127.0.0.0/8'],
    tls: {
      files: [],
      read: () => {
        if (held.fault !== undefined) throw new Error(held.fault);
        return held.material;
      },
    },
    clock,
    log,
    random: systemRandom(),
    health: () => ({ status: 'ok', services: [] }),
    onRefusals: (refusals) => {
      told.push(refusals);
      return true;
    },
    register: (app) => app.get('/read', { config: { role: 'read' } }, () => ({})),
  });
  closing.push(() => server.close());
  return { port: server.port, clock, log, held, told };
}

function materialOf({ cert, key }: { cert: string; key: string }, changes: object): TlsMaterial {
  return {
    certificates: [{ cert, key, names: ['admin.example'], expiresMs: 0 }],
    minVersion: 'TLSv1.2',
    ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256',
    clientAuth: 'none',
    ...changes,
  };
}

const TRUSTING = { ca: [ours.cert, renewed.cert], servername: 'admin.example' };

/** The status that a call is answered with, or the code of what went wrong. */
function call(port: number, options: ConnectionOptions = {}, token = 'a-token-of-ours') {
  return new Promise<number | string>((resolve) => {
    const asked = request(
      { port, path: '/read', agent: false, ...TRUSTING, ...options, headers: { 'x-api-key': token } },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    asked.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    asked.end();
  });
}

test('with a certificate it speaks TLS, and tokens are still needed', async () => {
  const { port } = await start();
  expect(await call(port)).toBe(200);
  expect(await call(port, {}, 'wrong')).toBe(401);
  expect(await call(port, { ca: [] })).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
});

test('plain HTTP is not answered, and no token in it is read', async () => {
  const { port, told, clock } = await start();
  await expect(
    fetch(`http://127.0.0.1:${port}/read`, { headers: { 'x-api-key': 'a-token-of-ours' } }),
  ).rejects.toThrow();
  clock.advance(1000);
  expect(told).toMatchObject([{ refusals: [{ cause: 'certificate', address: '127.0.0.1', count: 1 }] }]);
});

test('versions of TLS before the least one are refused', async () => {
  const { port } = await start({ minVersion: 'TLSv1.3' });
  expect(await call(port, { maxVersion: 'TLSv1.2' })).toMatch(/ERR_SSL|EPROTO/);
  expect(await call(port)).toBe(200);
});

test('with required certificates, only callers with one that the authority signed are heard', async () => {
  const { port, told, clock } = await start({ clientAuth: 'required', clientCa: authority.cert });
  expect(await call(port, operator)).toBe(200);
  // A certificate is no token.
  expect(await call(port, operator, 'wrong')).toBe(401);
  for (const shown of [{}, forged, over, stranger]) expect(await call(port, shown)).not.toBe(200);
  clock.advance(1000);
  expect(told[0]?.refusals).toEqual([
    { cause: 'wrong_token', address: '127.0.0.1', count: 1 },
    { cause: 'certificate', address: '127.0.0.1', count: 4 },
  ]);
});

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'a session of %s is not resumed into more than it began with',
  async (maxVersion) => {
    const { port } = await start({ clientAuth: 'required', clientCa: authority.cert });
    for (const shown of [{}, forged, over]) {
      const session = await sessionOf(port, { ...shown, maxVersion });
      expect(await call(port, { ...shown, maxVersion, session })).not.toBe(200);
      expect(await call(port, { maxVersion, session })).not.toBe(200);
    }
    const session = await sessionOf(port, { ...operator, maxVersion });
    expect(session).toBeDefined();
    expect(await call(port, { maxVersion, session })).toBe(200);
  },
);

/** The session that a connection was given, if any before it ended. */
async function sessionOf(port: number, options: ConnectionOptions): Promise<Buffer | undefined> {
  const socket = connect({ port, ...TRUSTING, ...options });
  closing.push(() => socket.destroy());
  return await new Promise((resolve) => {
    socket.once('session', resolve);
    socket.once('error', () => {});
    socket.once('close', () => resolve(undefined));
  });
}

test('with optional certificates, callers without one are heard, and those with an invalid one are not', async () => {
  const { port, told, clock } = await start({ clientAuth: 'optional', clientCa: authority.cert });
  expect(await call(port)).toBe(200);
  expect(await call(port, operator)).toBe(200);
  for (const shown of [forged, over]) expect(await call(port, shown)).not.toBe(200);
  clock.advance(1000);
  expect(told[0]?.refusals).toEqual([{ cause: 'certificate', address: '127.0.0.1', count: 2 }]);
});

test('a new certificate is taken up without closing a connection, and a broken one is not', async () => {
  const { port, clock, held, log } = await start();
  const kept = connect({ port, ...TRUSTING });
  closing.push(() => kept.destroy());
  await once(kept, 'secureConnect');
  const shown = async () => {
    const socket = connect({ port, ...TRUSTING });
    await once(socket, 'secureConnect');
    const serial = serialOf(socket);
    socket.destroy();
    return serial;
  };
  const first = await shown();
  held.material = materialOf(renewed, {});
  clock.advance(POLL_MS);
  const second = await shown();
  expect(second).not.toBe(first);
  held.fault = 'there is no such file';
  clock.advance(POLL_MS);
  expect(await shown()).toBe(second);
  expect(log.entries.at(-1)).toMatchObject({ level: 'error', fields: { cause: 'there is no such file' } });
  kept.write('GET /v1/health HTTP/1.1\r\nhost: admin.example\r\n\r\n');
  const [answer] = (await once(kept, 'data')) as [Buffer];
  expect(String(answer)).toMatch(/^HTTP\/1\.1 200 /);
});

function serialOf(socket: TLSSocket): string | undefined {
  return socket.getPeerX509Certificate()?.serialNumber;
}
