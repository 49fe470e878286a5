import { createHook } from 'node:async_hooks';
import { afterEach, expect, it } from 'vitest';
import { Harness } from './testing/harness.ts';
import { until } from './testing/raw-socket.ts';

let harness: Harness;

afterEach(() => harness.stop());

const REQUESTS = 1000;
const RESPONSE = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const GET = 'GET /path?query HTTP/1.1\r\nHost: any\r\nUser-Agent: x\r\nAccept: */*\r\n\r\n';

/** What of all that Node tracks came into being meanwhile, by type. */
class Births {
  readonly counts = new Map<string, number>();
  private readonly hook = createHook({
    init: (_, type) => {
      this.counts.set(type, (this.counts.get(type) ?? 0) + 1);
    },
  });

  start(): void {
    this.hook.enable();
  }

  stop(): void {
    this.hook.disable();
  }

  of(type: string): number {
    return this.counts.get(type) ?? 0;
  }
}

it('makes no promise, timer, write request, log line or connection for a plain request', async () => {
  // Both ends are driven by plain callbacks, so that nothing but the lane could make any of these.
  harness = await Harness.start([
    (connection) => {
      connection.socket.on('data', () => connection.socket.write(RESPONSE, 'latin1'));
    },
  ]);
  const client = harness.connect();
  await until(() => harness.counters.connectionsOpen === 1, 'connected');
  const answerLength = `${RESPONSE}x-request-id: id-1\r\n`.length;
  let answered = 0;
  const run = (count: number): Promise<void> =>
    new Promise((resolve) => {
      const target = answered + count;
      const onData = (): void => {
        if (client.text.length < answerLength || !client.text.endsWith('ok')) return;
        client.text = '';
        if (++answered < target) {
          client.socket.write(GET, 'latin1');
          return;
        }
        client.socket.off('data', onData);
        resolve();
      };
      client.socket.on('data', onData);
      client.socket.write(GET, 'latin1');
    });
  await run(100);

  const births = new Births();
  const done = run(REQUESTS);
  births.start();
  await done;
  births.stop();

  expect(harness.table.outcomes).toHaveLength(REQUESTS + 100);
  const few = REQUESTS / 4;
  for (const type of [
    'PROMISE',
    'Timeout',
    'Immediate',
    'Microtask',
    'TCPWRAP',
    'TCPCONNECTWRAP',
    'WRITEWRAP',
  ]) {
    expect([type, births.of(type)]).toEqual([type, expect.toSatisfy((count: number) => count < few)]);
  }
  expect(harness.log.entries).toHaveLength(0);
  expect(harness.backends[0]!.connections).toHaveLength(1);
});
