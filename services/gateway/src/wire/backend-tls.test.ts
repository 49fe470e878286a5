import type { TLSSocket, TlsOptions } from 'node:tls';
import { makeCertificate } from '@usher/testing';
import { afterEach, describe, expect, it } from 'vitest';
import type { TlsRow } from '../table/tls-client.ts';
import { Harness } from './testing/harness.ts';
import { answering, type BackendBehaviour, ok, RawBackend } from './testing/raw-backend.ts';
import { readMessage, statusOf } from './testing/raw-socket.ts';

const authority = makeCertificate({ commonName: 'authority', authority: true });
const server = makeCertificate({ names: ['backend.test'], issuer: authority });
const client = makeCertificate({ commonName: 'usher', issuer: authority });
const stranger = makeCertificate({ names: ['backend.test'] });

let harness: Harness;
let backend: RawBackend;

afterEach(async () => {
  await harness.stop();
  await backend.stop();
});

const echo = answering(({ body }) => ok(body));
/** Says what it saw of the connection. */
const telling: BackendBehaviour = answering((_request, { socket }) => {
  const { servername } = socket as TLSSocket & { servername: string | false };
  const tls = socket as TLSSocket;
  return ok(`${servername} ${tls.authorized} ${tls.isSessionReused()}`, 'connection: close\r\n');
});

async function start(
  behaviour: BackendBehaviour,
  tls: Partial<TlsRow> = {},
  options: TlsOptions = {},
): Promise<void> {
  backend = await RawBackend.start(behaviour, 0, { cert: server.cert, key: server.key, ...options });
  harness = await Harness.start([], { urls: [`https://backend.test:${backend.port}`] });
  harness.apply({ kind: 'addresses', host: 'backend.test', addresses: ['127.0.0.1'] }, settings(tls));
}

function settings(tls: Partial<TlsRow>) {
  return { kind: 'tls', pool: 'web', tls: { verify: true, ca: authority.cert, ...tls } } as const;
}

async function send(body = ''): Promise<{ status: number; code: unknown; body: string }> {
  const connection = harness.connect();
  connection.send(`POST / HTTP/1.1\r\nHost: any\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  const answer = await readMessage(connection);
  const code: unknown = answer.body.startsWith('{') ? JSON.parse(answer.body).code : undefined;
  return { status: statusOf(answer), code, body: answer.body };
}

const failed = { status: 502, code: 'connect_failed' };

describe('a backend with an https URL', () => {
  it('is spoken to over TLS, and its connection is used again', async () => {
    await start(echo);
    const body = 'x'.repeat(3_000_000);
    expect((await send('one')).body).toBe('one');
    expect((await send(body)).body === body).toBe(true);
    expect((await send('three')).body).toBe('three');
    expect(backend.connections).toHaveLength(1);
  });

  it('is asked for by the host of its URL, or by the name that the settings say', async () => {
    await start(telling);
    expect((await send()).body).toBe('backend.test false false');
    harness.apply(settings({ serverName: 'other.test' }));
    expect(await send()).toMatchObject(failed);
    harness.apply(settings({ serverName: 'other.test', verify: false }));
    expect((await send()).body).toBe('other.test false false');
  });

  it('has its session resumed, until the settings change', async () => {
    await start(telling);
    await send();
    expect((await send()).body).toBe('backend.test false true');
    harness.apply(settings({}));
    expect((await send()).body).toBe('backend.test false false');
  });

  it('is shown the certificate of the pool', async () => {
    await start(
      telling,
      { cert: client.cert, key: client.key },
      {
        requestCert: true,
        ca: authority.cert,
      },
    );
    expect((await send()).body).toBe('backend.test true false');
  });

  it.each([
    ['is signed by somebody unknown', {}, { cert: stranger.cert, key: stranger.key }],
    ['is not for its name', { serverName: 'elsewhere.test' }, {}],
    ['cannot be checked without the authority', { ca: undefined }, {}],
  ] as const)('gets nothing when its certificate %s', async (_what, tls, options) => {
    let connections = 0;
    await start(() => void (connections += 1), tls, options);
    expect(await send('secret')).toMatchObject(failed);
    expect(harness.table.outcomes).toEqual(['connect_failed']);
    expect([...harness.pool.slots[0]!.endpoint.connectFailures!]).toEqual([['tls', 1]]);
    const [logged] = harness.log.entries;
    expect(logged?.message).toBe('a connection to a backend failed');
    expect(String(logged?.fields['detail'])).toMatch(/certificate|altnames/);
  });

  it('gets nothing while the files for it cannot be used', async () => {
    await start(echo, { fault: 'no such file: /ca.pem' });
    expect(await send()).toMatchObject(failed);
    expect(harness.log.entries[0]?.fields).toMatchObject({ detail: expect.stringContaining('/ca.pem') });
    harness.apply(settings({}));
    expect((await send('now')).body).toBe('now');
  });

  it('that speaks no TLS fails the connection, not the request', async () => {
    await start(echo);
    const plain = await RawBackend.start((connection) => connection.send('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await harness.stop();
    harness = await Harness.start([echo], { urls: [`https://127.0.0.1:${plain.port}`] });
    expect((await send('to the other')).body).toBe('to the other');
    expect(harness.table.outcomes).toEqual(['connect_failed', 'ok']);
    await plain.stop();
  });
});
