import { sessionIdOf, sessionOfCookie } from '@usher/runtime';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { until } from '../testing/http.ts';
import {
  BY_COOKIE,
  BY_HEADER,
  BY_IP,
  often,
  pairOf,
  StickyFleet,
  served,
} from '../testing/sticky-gateway.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 30_000 });

let fleet: StickyFleet;

beforeEach(() => {
  fleet = new StickyFleet();
});
afterEach(() => fleet.stop());

const LANES = ['/x', '/zip/x'];
const withCookie = (cookie: string, path = '/x') => ({ path, headers: { cookie } });
const user = (name: string) => ({ headers: { 'x-user': name } });
const sessionIn = (set: string) => sessionOfCookie(pairOf(set).slice('usher='.length));

test('by cookie: after a pool was cleared no cookie from before counts, in no gateway and lane', async () => {
  await fleet.configure(BY_COOKIE);
  const ports = [await fleet.gateway(), await fleet.gateway()];
  const before = await served(ports[0]!);
  for (const port of ports) expect((await served(port, withCookie(pairOf(before.set)))).set).toBe('');
  await fleet.clear();
  // One that knows of it from the state alone.
  ports.push(await fleet.gateway());
  for (const port of ports) {
    for (const path of LANES) {
      const after = await served(port, withCookie(`${pairOf(before.set)}; a=b`, path));
      expect(after.cookie).toBe('a=b');
      expect(sessionIn(after.set)).not.toBe(sessionIn(before.set));
    }
  }
  await until(async () => {
    const { set } = await served(ports[0]!);
    return (await served(ports[1]!, withCookie(pairOf(set)))).set === '';
  }, 'new cookies count');
  expect(await fleet.fleet.metrics.sum('usher_sticky_cookies_refused_total', { pool: 'web' })).toBe(0);
});

test('by cookie: one session is cleared and the others stay, also when the settings change', async () => {
  await fleet.configure(BY_COOKIE);
  const ports = [await fleet.gateway(), await fleet.gateway()];
  const [one, other] = [await served(ports[0]!), await served(ports[0]!)];
  await fleet.clear(sessionIn(one.set));
  await fleet.set({ ...BY_COOKIE, idleMs: 1_800_000 });
  await fleet.reached();
  ports.push(await fleet.gateway());
  for (const port of ports) {
    for (const path of LANES) {
      expect((await served(port, withCookie(pairOf(other.set), path))).set).toBe('');
      const after = await served(port, withCookie(pairOf(one.set), path));
      expect(after.set).not.toBe('');
      expect(sessionIn(after.set)).not.toBe(sessionIn(one.set));
    }
  }
});

test.each([
  ['header', BY_HEADER],
  ['address', BY_IP],
])('by %s: a session that was cleared is placed anew, the same in all gateways', async (_by, sticky) => {
  await fleet.configure(sticky);
  const ports = [await fleet.gateway(), await fleet.gateway()];
  const session = sticky === BY_IP ? sessionIdOf('ip', '127.0.0.1') : sessionIdOf('header', 'one');
  const place = async () => {
    const ids = await often(() => served(ports[0]!, user('one')), 6);
    for (const id of await often(() => served(ports[1]!, user('one')), 6)) ids.add(id);
    expect(ids.size).toBe(1);
    return [...ids][0];
  };
  const before = await place();
  const other = await served(ports[0]!, user('other'));
  await until(async () => {
    await fleet.clear(session);
    return (await place()) !== before;
  }, 'it was placed elsewhere');
  if (sticky === BY_IP) return;
  for (const port of ports) expect((await served(port, user('other'))).id).toBe(other.id);
});

test('by header: all sessions of a pool are placed anew, and then stay', async () => {
  await fleet.configure(BY_HEADER);
  const ports = [await fleet.gateway(), await fleet.gateway()];
  const users = Array.from({ length: 24 }, (_, each) => user(`user-${each}`));
  const placesAt = async (port: number) => {
    const answers = await Promise.all(users.map((each) => served(port, each)));
    return answers.map(({ id }) => id);
  };
  const before = await placesAt(ports[0]!);
  expect(await placesAt(ports[1]!)).toEqual(before);
  await fleet.clear();
  const after = await placesAt(ports[0]!);
  expect(after).not.toEqual(before);
  expect(await placesAt(ports[1]!)).toEqual(after);
  await fleet.gateway();
  expect(await placesAt(fleet.gateways[2]!.addresses[0]!.port)).toEqual(after);
});
