import { afterEach, describe, expect, it } from 'vitest';
import { Harness, type HarnessOptions } from './testing/harness.ts';
import { answering, type BackendBehaviour, ok } from './testing/raw-backend.ts';
import { type RawMessage, readMessage, statusOf } from './testing/raw-socket.ts';

let harness: Harness;

async function start(behaviours: readonly BackendBehaviour[], options?: HarnessOptions): Promise<Harness> {
  harness = await Harness.start(behaviours, options);
  return harness;
}

afterEach(() => harness.stop());

const GET = 'GET / HTTP/1.1\r\nHost: any\r\n\r\n';

/** The head that a backend gets for a request. */
async function forwarded(request: string, options?: HarnessOptions): Promise<RawMessage> {
  const { backends } = await start([answering(() => ok())], options);
  const client = harness.connect();
  client.send(request);
  expect(statusOf(await readMessage(client))).toBe(200);
  return backends[0]!.requests[0]!;
}

/** What a client gets when its backend says `response` and stays. */
async function relayed(response: string, request = GET): Promise<RawMessage> {
  await start([answering(() => response)]);
  const client = harness.connect();
  client.send(request);
  return readMessage(client, request.startsWith('HEAD'));
}

describe('a request on its way to a backend', () => {
  it('keeps its line, its Host and its end-to-end headers to the byte', async () => {
    const { head } = await forwarded(
      'GET /a%2F..//b?x=%zz&y HTTP/1.1\r\nhOsT: Any\r\nAccept:  */*\r\nCookie: a=\xe4\r\nX-A: 1\r\nx-a: 2\r\n\r\n',
    );
    expect(head).toBe(
      'GET /a%2F..//b?x=%zz&y HTTP/1.1\r\nhOsT: Any\r\nAccept:  */*\r\nCookie: a=\xe4\r\nX-A: 1\r\nx-a: 2\r\n' +
        'x-forwarded-for: 127.0.0.1\r\nx-forwarded-proto: http\r\nx-forwarded-host: Any\r\nx-request-id: id-1\r\n\r\n',
    );
  });

  it('loses what belongs to the connection, nominated headers included', async () => {
    const { headers } = await forwarded(
      'GET / HTTP/1.1\r\nHost: any\r\nConnection: x-mine, keep-alive\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\n' +
        'Proxy-Connection: x\r\nProxy-Authorization: y\r\nTE: gzip\r\nUpgrade: h2c\r\nX-Other: 2\r\n\r\n',
    );
    expect(Object.keys(headers).toSorted()).toEqual([
      'host',
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-proto',
      'x-other',
      'x-request-id',
    ]);
  });

  it('says that the client takes trailers', async () => {
    const { headers } = await forwarded('GET / HTTP/1.1\r\nHost: any\r\nTE: gzip, Trailers\r\n\r\n');
    expect(headers).toMatchObject({ te: 'trailers', connection: 'te' });
  });

  it('keeps nothing that a stranger claims about where it comes from', async () => {
    const { headers } = await forwarded(
      'GET / HTTP/1.1\r\nHost: any\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\n' +
        'X-Forwarded-Port: 1\r\nForwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\n\r\n',
    );
    expect(headers).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'any',
    });
    expect(headers).not.toHaveProperty('forwarded');
    expect(headers).not.toHaveProperty('x-real-ip');
    expect(headers).not.toHaveProperty('x-forwarded-port');
  });

  it('keeps none of it with underscores either, which are hyphens to those who make variables of them', async () => {
    const claims = [
      'X_Forwarded_For',
      'x-forwarded_proto',
      'X_FORWARDED-HOST',
      'x_forwarded_port',
      'X_Real_IP',
    ];
    const { headers } = await forwarded(
      `GET / HTTP/1.1\r\nHost: any\r\n${claims.map((name) => `${name}: 6.6.6.6\r\n`).join('')}X_Other_For_You: 1\r\n\r\n`,
    );
    expect(JSON.stringify(headers)).not.toContain('6.6.6.6');
    expect(headers).toMatchObject({ x_other_for_you: '1', 'x-forwarded-for': '127.0.0.1' });
  });

  it('keeps what a trusted proxy says, and adds the proxy', async () => {
    const { headers } = await forwarded(
      'GET / HTTP/1.1\r\nHost: any\r\nX-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2, 3.3.3.3\r\n' +
        'X-Forwarded-Proto: https\r\nX-Forwarded-Host: first\r\nForwarded: for=1.1.1.1\r\n\r\n',
      { trustedProxies: ['127.0.0.0/8'] },
    );
    expect(headers).toMatchObject({
      'x-forwarded-for': '1.1.1.1, 2.2.2.2, 3.3.3.3, 127.0.0.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'first',
      forwarded: 'for=1.1.1.1, for=127.0.0.1;host=any;proto=http',
    });
  });

  it('gets the framing written anew', async () => {
    const { head, body } = await forwarded(
      'POST / HTTP/1.1\r\nHost: any\r\nTransfer-Encoding:  CHUNKED\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
    );
    expect(head).toContain('\r\ntransfer-encoding: chunked\r\n');
    expect(head).not.toContain('CHUNKED');
    expect(body).toBe('abc');
  });

  it('of HTTP/1.0 goes on as HTTP/1.1, with the Host of the backend where it has none', async () => {
    await start([answering(() => ok())]);
    const { url } = harness.backends[0]!;
    harness.table.apply(
      [
        {
          kind: 'policy',
          policy: {
            ...harness.table.policy,
            routes: harness.table.policy.routes.map((each) => ({ ...each, host: undefined })),
          },
        },
      ],
      2,
      Date.now(),
    );
    const client = harness.connect();
    client.send('GET /old HTTP/1.0\r\nExpect: 100-continue\r\n\r\n');
    const response = await readMessage(client);
    expect(response.headers['connection']).toBe('close');
    const { firstLine, headers } = harness.backends[0]!.requests[0]!;
    expect(firstLine).toBe('GET /old HTTP/1.1');
    expect(headers['host']).toBe(url.slice('http://'.length));
    expect(headers).not.toHaveProperty('expect');
    expect(headers).not.toHaveProperty('x-forwarded-host');
  });

  it('in absolute form goes on in origin form', async () => {
    expect((await forwarded('GET http://any/x?y HTTP/1.1\r\nHost: any\r\n\r\n')).firstLine).toBe(
      'GET /x?y HTTP/1.1',
    );
  });
});

describe('the request id', () => {
  it.each([
    ['abc-123', 'abc-123'],
    ['a'.repeat(128), 'a'.repeat(128)],
    ['a'.repeat(129), 'id-1'],
    ['has space', 'id-1'],
    ['quo"te', 'id-1'],
    ['', 'id-1'],
  ])('sent as %j becomes %j for the backend and the client', async (sent, used) => {
    const { backends } = await start([answering(() => ok('', 'X-Request-Id: theirs\r\n'))]);
    const client = harness.connect();
    client.send(`GET / HTTP/1.1\r\nHost: any\r\nX-Request-ID: ${sent}\r\n\r\n`);
    const { headers } = await readMessage(client);
    expect(headers['x-request-id']).toBe(used);
    expect(backends[0]!.requests[0]!.headers['x-request-id']).toBe(used);
  });

  it('is on error answers too', async () => {
    await start([]);
    const client = harness.connect();
    client.send('GET / HTTP/1.1\r\nHost: any\r\nX-Request-ID: mine\r\n\r\n');
    expect((await readMessage(client)).headers['x-request-id']).toBe('mine');
    client.send('GET / HTTP/1.1\r\nHost: other\r\n\r\n');
    expect((await readMessage(client)).headers['x-request-id']).toBe('id-1');
  });
});

describe('a response on its way to the client', () => {
  it('keeps its status line and its end-to-end headers to the byte', async () => {
    const { head } = await relayed(
      'HTTP/1.1 201 Sch\xf6n  gemacht\r\nSet-Cookie: a\r\nset-cookie: b\r\nConnection: X-Hop\r\nX-Hop: 1\r\n' +
        'Keep-Alive: timeout=5\r\nProxy-Authenticate: x\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nok',
    );
    expect(head).toBe(
      'HTTP/1.1 201 Sch\xf6n  gemacht\r\nSet-Cookie: a\r\nset-cookie: b\r\nContent-Length: 2\r\nx-request-id: id-1\r\n\r\n',
    );
  });

  it('of HTTP/1.0 or without a reason becomes a proper one of HTTP/1.1', async () => {
    expect((await relayed('HTTP/1.0 200 Fine\r\nContent-Length: 0\r\n\r\n')).firstLine).toBe(
      'HTTP/1.1 200 Fine',
    );
    await harness.stop();
    expect((await relayed('HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n')).head).toMatch(/^HTTP\/1\.1 200 \r\n/);
  });

  it('to HEAD ends with its head, and the next response is not mistaken for its body', async () => {
    await start([
      answering(({ firstLine }) =>
        firstLine.startsWith('HEAD') ? 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n' : ok('next'),
      ),
    ]);
    const client = harness.connect();
    client.send('HEAD / HTTP/1.1\r\nHost: any\r\n\r\n');
    expect((await readMessage(client, true)).headers['content-length']).toBe('99');
    client.send(GET);
    expect((await readMessage(client)).body).toBe('next');
    expect(harness.backends[0]!.connections).toHaveLength(1);
  });

  it.each([
    ['204 No Content', 'Content-Length: 5\r\n', undefined],
    ['304 Not Modified', 'Content-Length: 5\r\n', '5'],
  ])('with status %s has no body', async (status, fields, length) => {
    await start([answering(() => `HTTP/1.1 ${status}\r\n${fields}\r\n`)]);
    const client = harness.connect();
    client.send(GET + GET);
    for (let n = 0; n < 2; n++) {
      const { firstLine, headers } = await readMessage(client, true);
      expect(firstLine).toBe(`HTTP/1.1 ${status}`);
      expect(headers['content-length']).toBe(length);
    }
  });

  it('may be preceded by informational ones, which HTTP/1.0 clients do not get', async () => {
    const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: close\r\n\r\n';
    await start([answering(() => hints + hints + ok('done'))]);
    const client = harness.connect();
    client.send(GET);
    for (let n = 0; n < 2; n++) {
      const { firstLine, headers } = await readMessage(client, true);
      expect(firstLine).toBe('HTTP/1.1 103 Early Hints');
      expect(headers).toEqual({ link: '</a>', 'x-request-id': 'id-1' });
    }
    expect((await readMessage(client)).body).toBe('done');
    const old = harness.connect();
    old.send('GET / HTTP/1.0\r\nHost: any\r\n\r\n');
    expect((await readMessage(old)).body).toBe('done');
  });

  it('without a length ends with the connection', async () => {
    await start([
      answering((_, connection) => {
        connection.socket.end('HTTP/1.1 200 OK\r\n\r\nuntil the end');
        return '';
      }),
    ]);
    const client = harness.connect();
    client.send(GET);
    const { headers, body } = await readMessage(client);
    expect(headers['connection']).toBe('close');
    expect(body).toBe('until the end');
    expect(client.error).toBeUndefined();
  });

  it('in chunks reaches an HTTP/1.0 client without them', async () => {
    const { headers, body } = await relayed(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n',
      'GET / HTTP/1.0\r\nHost: any\r\nConnection: keep-alive\r\n\r\n',
    );
    expect(headers).not.toHaveProperty('transfer-encoding');
    expect(headers['connection']).toBe('close');
    expect(body).toBe('abcde');
  });

  it('of a server error passes through unchanged and counts against the backend', async () => {
    const { firstLine, body } = await relayed('HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy');
    expect([firstLine, body]).toEqual(['HTTP/1.1 503 Busy', 'busy']);
    expect(harness.table.outcomes).toEqual(['server_error']);
  });
});
