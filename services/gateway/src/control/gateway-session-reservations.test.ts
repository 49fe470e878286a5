import { NO_RESOURCES } from '@usher/domain';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ask } from '../testing/http.ts';
import { BY_COOKIE, BY_HEADER, often, pairOf, StickyFleet, served } from '../testing/sticky-gateway.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 30_000 });

const core = { ...NO_RESOURCES, milliCpu: 1000 };
const tiers = [
  { name: 'small', resources: core },
  { name: 'large', resources: { ...core, memoryBytes: 1 } },
];
const ids = ['b1', 'b2', 'b3', 'b4'];

let fleet: StickyFleet;

function of(name: string, tier = 'small') {
  return { headers: { 'x-user': name, 'x-tier': tier } };
}

beforeEach(() => {
  fleet = new StickyFleet();
});
afterEach(() => fleet.stop());

test('a session by header shares one reservation: what it has itself never makes it leave', async () => {
  await fleet.configure(BY_HEADER, { tiers, reserve: 'session' }, { capacity: core });
  const ports = [await fleet.gateway(), await fleet.gateway()];
  const places = new Map<string, string>();
  for (const name of ids) places.set(name, (await served(ports[0]!, of(name))).id);
  expect([...places.values()].toSorted((a, b) => a.localeCompare(b))).toEqual(ids);
  for (const [name, id] of places) {
    for (const port of ports) {
      expect(await often(() => served(port, of(name)))).toEqual(new Set([id]));
      expect(await often(() => served(port, { path: '/zip/x', ...of(name) }), 4)).toEqual(new Set([id]));
    }
  }
  expect(await ask(ports[0]!, of('one too many'))).toMatchObject({ status: 503 });
});

test('a session by cookie shares one reservation too', async () => {
  await fleet.configure(BY_COOKIE, { tiers, reserve: 'session' }, { capacity: core });
  const ports = [await fleet.gateway(), await fleet.gateway()];
  const first = await served(ports[0]!);
  for (let others = 0; others < 3; others++) await served(ports[0]!);
  const mine = { headers: { cookie: pairOf(first.set) } };
  for (const port of ports) expect(await often(() => served(port, mine))).toEqual(new Set([first.id]));
  expect(await ask(ports[1]!)).toMatchObject({ status: 503 });
});

test('a request for which there is no room where its session is goes where there is some', async () => {
  const capacity = { ...core, milliCpu: 2000, memoryBytes: 1 };
  await fleet.configure(BY_HEADER, { tiers, reserve: 'session' }, { capacity });
  const port = await fleet.gateway();
  const home = (await served(port, of('alice', 'small'))).id;
  // Somebody else takes the memory that there is for the large tier.
  const takers = Array.from({ length: 4 }, (_, each) => `taker-${each}`);
  const taken: string[] = [];
  for (const name of takers) {
    const { id } = await served(port, of(name, 'large'));
    taken.push(id);
    if (id === home) break;
  }
  expect(taken).toContain(home);
  if (taken.length < 4) {
    const large = (await served(port, of('alice', 'large'))).id;
    expect(large).not.toBe(home);
    expect(await often(() => served(port, of('alice', 'large')), 6)).toEqual(new Set([large]));
  }
  expect(await often(() => served(port, of('alice', 'small')), 6)).toEqual(new Set([home]));
});
