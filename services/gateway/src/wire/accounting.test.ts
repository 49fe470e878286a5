import fc from 'fast-check';
import { afterEach, expect, it } from 'vitest';
import { Harness } from './testing/harness.ts';
import type { BackendBehaviour } from './testing/raw-backend.ts';
import { readMessage, until } from './testing/raw-socket.ts';

let harness: Harness | undefined;

afterEach(() => harness?.stop());

/** What a backend may do with a request, by the digit in its path. */
const responses = [
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
  'HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut',
  'HTTP/1.1 200 OK\r\n\r\nuntil the end',
  'garbage\r\n\r\n',
  '',
];

const unreliable: BackendBehaviour = async (connection) => {
  for (;;) {
    const { firstLine } = await readMessage(connection);
    const [, digit = '0', end = 'stay'] = /\/(\d)\/(\w+)/.exec(firstLine) ?? [];
    connection.socket.write(responses[Number(digit)] ?? '', 'latin1');
    if (end === 'fin') connection.socket.end();
    else if (end === 'reset') connection.socket.resetAndDestroy();
    if (end !== 'stay') return;
  }
};

const step = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'HEAD'),
  response: fc.nat(responses.length - 1),
  backendEnd: fc.constantFrom('stay', 'stay', 'fin', 'reset'),
  body: fc.constantFrom('', 'short', 'x'.repeat(70_000)),
  clientEnd: fc.constantFrom('stay', 'stay', 'fin', 'reset', 'mid-body'),
});

it('ends every attempt exactly once, whatever clients and backends do', async () => {
  const retry = { attempts: 2, budgetRatio: 1 };
  harness = await Harness.start([unreliable, unreliable], { retry, timeouts: { requestMs: 60_000 } });
  const { lane, table, counters } = harness;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      const accepted = counters.connectionsAccepted + steps.length;
      const clients = steps.map(({ method, response, backendEnd, body, clientEnd }) => {
        const client = harness!.connect();
        const length = clientEnd === 'mid-body' ? body.length + 1 : body.length;
        client.send(
          `${method} /${response}/${backendEnd} HTTP/1.1\r\nHost: any\r\nContent-Length: ${length}\r\n\r\n${body}`,
        );
        if (clientEnd === 'fin') client.socket.end();
        return { client, clientEnd };
      });
      await until(() => counters.connectionsAccepted === accepted, 'all connected');
      for (const { client, clientEnd } of clients) if (clientEnd === 'reset') client.socket.resetAndDestroy();
      let before = '';
      await until(() => {
        const now = `${table.begun} ${table.outcomes.length} ${counters.bytesIn} ${counters.bytesOut}`;
        const still = now === before;
        before = now;
        // Only who waits for somebody who says nothing is still there: let that run out of time.
        if (still) harness!.advance(5000);
        return table.begun === table.outcomes.length && lane.counts.connectionsOpen === 0;
      }, 'quiet');
      expect(harness!.inFlight).toBe(0);
      expect(harness!.backends.map(({ open }) => open).every((open) => open >= 0)).toBe(true);
    }),
    { numRuns: 60 },
  );
  expect(new Set(table.outcomes)).toEqual(
    new Set(['ok', 'server_error', 'backend_closed', 'bad_response', 'response_timeout', 'client_closed']),
  );
  await until(() => harness!.backends.every(({ open }) => open === 0), 'backend connections closed');
}, 60_000);
