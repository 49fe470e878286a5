import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Client } from '../h2/testing/client.ts';
import { until } from '../testing/http.ts';
import {
  BY_HEADER,
  BY_IP,
  often,
  type Served,
  StickyFleet,
  served,
  webSocket,
} from '../testing/sticky-gateway.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 30_000 });

let fleet: StickyFleet;

beforeEach(() => {
  fleet = new StickyFleet();
});
afterEach(() => fleet.stop());

test('by header: all gateways, workers and lanes agree', async () => {
  await fleet.configure(BY_HEADER);
  const ports = [await fleet.gateway(), await fleet.gateway()];
  const seen = new Set<string>();
  for (let user = 0; user < 10; user++) {
    const headers = { 'x-user': `user-${user}` };
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, each) =>
        served(ports[each % 2]!, { headers, path: each % 3 === 0 ? '/zip/x' : '/x' }),
      ),
    );
    const ids = new Set(answers.map(({ id }) => id));
    expect(ids.size).toBe(1);
    expect(answers.every(({ set }) => set === '')).toBe(true);
    for (const path of ['/x', '/zip/x'])
      ids.add((await webSocket(ports[0]!, path, `X-User: user-${user}\r\n`)).id);
    const client = await new Client(`http://127.0.0.1:${ports[1]}`).connected();
    fleet.fleet.onClose(() => client.close());
    for (const path of ['/x', '/zip/x'])
      ids.add((JSON.parse((await client.ask({ ':path': path, ...headers })).body) as Served).id);
    expect(ids.size).toBe(1);
    for (const id of ids) seen.add(id);
  }
  expect(seen.size).toBeGreaterThan(1);
});

test('by header, of those without one: each request by itself', async () => {
  await fleet.configure(BY_HEADER);
  const port = await fleet.gateway({ workers: 1 });
  expect(await often(() => served(port), 20)).toEqual(new Set(['b1', 'b2', 'b3', 'b4']));
});

test('by address, over IPv6 too', async () => {
  await fleet.configure(BY_IP);
  const listen = [
    { host: '127.0.0.1', port: 0 },
    { host: '::1', port: 0 },
  ];
  const port = await fleet.gateway({ listen });
  expect((await often(() => served(port))).size).toBe(1);
  const { port: v6 } = fleet.gateways[0]!.addresses[1]!;
  const over6 = await Promise.all(
    Array.from({ length: 6 }, async () => {
      const response = await fetch(`http://[::1]:${v6}/x`);
      return ((await response.json()) as Served).id;
    }),
  );
  expect(new Set(over6).size).toBe(1);
});

test('move when their backend drains: the gateways agree, and others hear of it from the log', async () => {
  await fleet.configure(BY_HEADER);
  const ports = [await fleet.gateway(), await fleet.gateway()];
  const users = Array.from({ length: 16 }, (_, user) => ({ headers: { 'x-user': `user-${user}` } }));
  const before = await Promise.all(users.map((user) => served(ports[0]!, user)));
  await Promise.all(users.map((user) => served(ports[1]!, user)));
  const drained = before[0]!.id;
  await fleet.drain(drained);
  const after: string[] = [];
  for (const [index, user] of users.entries()) {
    const answers = await Promise.all(Array.from({ length: 6 }, (_, each) => served(ports[each % 2]!, user)));
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    after.push(answers[0]!.id);
    if (before[index]!.id !== drained) expect(after[index]).toBe(before[index]!.id);
    else expect(after[index]).not.toBe(drained);
  }
  const leaving = before.filter(({ id }) => id === drained).length;
  await until(
    () =>
      new Set(fleet.moves().flatMap(({ sessions }) => sessions.map(({ session }) => session))).size ===
      leaving,
    'the log has all moves',
  );
  await fleet.enable(drained);
  for (const [index, user] of users.entries()) {
    for (const port of ports)
      expect(await often(() => served(port, user), 4)).toEqual(new Set([after[index]]));
  }
  expect(JSON.stringify(fleet.fleet.history)).not.toContain('user-');
});

test('requests that have a body, or come while others wait, go where their session is', async () => {
  await fleet.configure(BY_HEADER);
  const port = await fleet.gateway();
  const headers = { 'x-user': 'alice' };
  const bodies = Array.from({ length: 10 }, (_, each) => 'x'.repeat(1 + each * 20_000));
  const answers = await Promise.all(bodies.map((body) => served(port, { method: 'POST', headers, body })));
  expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
});
