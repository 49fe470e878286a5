import { afterEach, expect, it } from 'vitest';
import { parseProxyHeader } from '../proxy-protocol/parse.ts';
import { ProxySenders } from '../proxy-protocol/senders.ts';
import { Harness } from './testing/harness.ts';
import { type BackendBehaviour, ok } from './testing/raw-backend.ts';
import { type RawSocket, readMessage, until } from './testing/raw-socket.ts';

let harness: Harness;

afterEach(() => harness.stop());

const GET = 'GET / HTTP/1.1\r\nHost: any\r\n\r\n';

/** Waits for a header; answers each request with whom it names. */
const wanting: BackendBehaviour = async (connection, backend) => {
  let header = parseProxyHeader(Buffer.alloc(0));
  while (header.kind === 'incomplete') {
    await until(() => connection.text.length > 0, 'more of the header');
    header = parseProxyHeader(Buffer.from(connection.text, 'latin1'));
  }
  if (header.kind === 'invalid') throw new Error(header.cause);
  await connection.take(header.length);
  for (;;) {
    backend.requests.push(await readMessage(connection));
    const { source, destination } = header;
    connection.send(ok(JSON.stringify([source?.address, source?.port, destination?.port])));
  }
};

const named = async (client: RawSocket): Promise<unknown> => JSON.parse((await readMessage(client)).body);

it.each(['v1', 'v2'] as const)(
  'with %s are told the client at the start of each connection',
  async (proxyProtocol) => {
    harness = await Harness.start([wanting], { proxyProtocol });
    const [one, other] = [harness.connect(), harness.connect()];
    for (const client of [one, other, one]) {
      client.send(GET);
      expect(await named(client)).toEqual(['127.0.0.1', client.socket.localPort, harness.port]);
    }
    // A connection speaks for one client, so none is kept for whoever comes next.
    expect(harness.backends[0]!.connections).toHaveLength(3);
    await until(() => harness.backends[0]!.open === 0, 'closed');
  },
);

it('pass on whom another proxy spoke for', async () => {
  harness = await Harness.start([wanting], { proxyProtocol: 'v2', senders: new ProxySenders([]) });
  const client = harness.connect();
  client.send(`PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n${GET}`);
  expect(await named(client)).toEqual(['2001:db8::7', 4711, 443]);
});

it('get the header and the body again with another attempt', async () => {
  harness = await Harness.start([(connection) => void connection.socket.resetAndDestroy(), wanting], {
    proxyProtocol: 'v1',
  });
  for (let n = 0; n < 2; n++) {
    const client = harness.connect();
    client.send('PUT / HTTP/1.1\r\nHost: any\r\nContent-Length: 4\r\n\r\nbody');
    expect(await named(client)).toEqual(['127.0.0.1', client.socket.localPort, harness.port]);
  }
  expect(harness.backends[1]!.requests.map(({ body }) => body)).toEqual(['body', 'body']);
});
