import { constants } from 'node:http2';
import { afterEach, expect, test } from 'vitest';
import { Harness, type HarnessOptions } from '../wire/testing/harness.ts';
import { answering, type BackendBehaviour, ok } from '../wire/testing/raw-backend.ts';
import { until, untilStill } from '../wire/testing/raw-socket.ts';
import { Client } from './testing/client.ts';

let harness: Harness;
let client: Client;

async function start(behaviour: BackendBehaviour, options: HarnessOptions = {}): Promise<Client> {
  harness = await Harness.start([behaviour], options);
  client = await new Client(`http://127.0.0.1:${harness.port}`).connected();
  return client;
}

afterEach(async () => {
  client.close();
  await harness.stop();
});

/** A backend whose answers wait until they are let go. */
function holding(): { readonly behaviour: BackendBehaviour; readonly release: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { behaviour: answering(() => promise.then(() => ok('x'))), release: resolve };
}

test('a session without requests is closed after its idle time, and one with requests is not', async () => {
  const { behaviour, release } = holding();
  await start(behaviour, { timeouts: { responseMs: 1_000_000 } });
  const asked = client.begin({}, '');
  await until(() => harness.backends[0]?.open === 1, 'request on its way');
  harness.advance(200_000);
  release();
  expect(await asked.over()).toMatchObject({ status: 200, body: 'x' });
  harness.advance(76_000);
  await until(() => client.session.destroyed, 'closed');
  expect(client.goaway).toBe(constants.NGHTTP2_NO_ERROR);
  await until(() => harness.counters.connectionsOpen === 0, 'forgotten');
});

test('a client that says it speaks HTTP/2 and then nothing is closed', async () => {
  await start(answering(() => ok()));
  await until(() => harness.counters.connectionsOpen === 1, 'connected');
  await client.ask('/');
  harness.advance(76_000);
  await until(() => harness.counters.connectionsOpen === 0, 'closed');
  const silent = harness.connect();
  silent.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  await until(() => harness.counters.connectionsOpen === 1, 'connected');
  await silent.take(9);
  harness.advance(11_000);
  await until(() => harness.counters.connectionsOpen === 0 || silent.closed, 'closed');
});

test('short of memory, a session ends with what it has under way, so that another gateway can have the next', async () => {
  const { behaviour, release } = holding();
  await start(behaviour);
  harness.admission.memoryLevel = 1;
  const asked = [client.begin({}, ''), client.begin({}, '')];
  await until(() => harness.backends[0]?.open === 2, 'requests on their way');
  await until(() => client.goaway === constants.NGHTTP2_NO_ERROR, 'told to go');
  harness.advance(1_000);
  release();
  for (const each of asked) expect(await each.over()).toMatchObject({ status: 200, body: 'x' });
  harness.advance(1_000);
  await until(() => harness.counters.connectionsOpen === 0, 'closed');
});

test('a backend that does not answer in time is a 504', async () => {
  await start(() => {});
  const asked = client.begin({}, '');
  await until(() => harness.backends[0]?.open === 1, 'request on its way');
  harness.advance(31_000);
  expect(await asked.over()).toMatchObject({ status: 504 });
});

test('a body that stops is a 408, and its stream is given up', async () => {
  await start(() => {});
  const asked = client.begin({ ':method': 'POST' });
  asked.stream.write('a');
  await until(() => harness.backends[0]?.connections[0]?.text.includes('\r\na\r\n') === true, 'begun');
  harness.advance(61_000);
  await until(() => asked.closed, 'closed');
  expect(asked).toMatchObject({ status: 408, code: constants.NGHTTP2_NO_ERROR });
});

test('a drain lets requests finish and takes no more of them', async () => {
  const { behaviour, release } = holding();
  await start(behaviour);
  const asked = client.begin({}, '');
  await until(() => harness.backends[0]?.open === 1, 'request on its way');
  const drained = harness.lane.drain(10_000);
  await until(() => client.goaway !== undefined, 'told to go');
  expect(client.goaway).toBe(constants.NGHTTP2_NO_ERROR);
  release();
  expect(await asked.over()).toMatchObject({ status: 200, body: 'x' });
  await drained;
  expect(harness.counters.connectionsOpen).toBe(0);
});

test('a drain waits for requests of a client that closes its side as soon as it is told to', async () => {
  const { behaviour, release } = holding();
  await start(behaviour);
  const asked = client.begin({}, '');
  await until(() => harness.backends[0]?.open === 1, 'request on its way');
  const drained = harness.lane.drain(10_000);
  await until(() => client.session.closed, 'the client says goodbye too');
  for (let step = 0; step < 5; step++) {
    harness.advance(1000);
    await untilStill(() => harness.counters.connectionsOpen);
  }
  release();
  expect(await asked.over()).toMatchObject({ status: 200, body: 'x' });
  await drained;
});

test('a drain closes sessions without requests, and by force what does not end', async () => {
  await start(() => {});
  const other = await new Client(`http://127.0.0.1:${harness.port}`).connected();
  const asked = client.begin({}, '');
  await until(() => harness.backends[0]?.open === 1, 'request on its way');
  await harness.lane.drain(300);
  await until(() => other.session.destroyed && client.session.destroyed, 'closed');
  expect(asked.status).toBe(0);
});

test('a session ends after as many requests as it may serve', async () => {
  await start(
    answering(() => ok('x')),
    { limits: { requestsPerConnection: 2 } },
  );
  expect(await client.ask('/')).toMatchObject({ status: 200 });
  expect(client.goaway).toBeUndefined();
  expect(await client.ask('/')).toMatchObject({ status: 200, body: 'x' });
  await until(() => client.session.destroyed, 'closed');
  expect(client.goaway).toBe(constants.NGHTTP2_NO_ERROR);
});

test('streams of a client that leaves end their attempts', async () => {
  await start(() => {});
  for (let i = 0; i < 10; i++) client.begin({}, '');
  await until(() => harness.backends[0]?.open === 10, 'requests on their way');
  client.close();
  await until(() => harness.counters.connectionsOpen === 0, 'gone');
  await harness.settled();
  expect(new Set(harness.table.outcomes)).toEqual(new Set(['client_closed']));
  expect(harness.counters.clientAborts).toBe(10);
});

test('a request is tried again elsewhere as in HTTP/1.1', async () => {
  await start(
    answering(() => ok('x')),
    { urls: ['http://127.0.0.1:1'] },
  );
  expect(await client.ask({ ':method': 'POST' }, 'abc')).toMatchObject({ status: 200 });
  expect(
    harness.counters.retries +
      harness.table.outcomes.filter((outcome) => outcome === 'connect_failed').length,
  ).toBe(2);
  expect(harness.backends[0]!.requests[0]!.body).toBe('abc');
});
