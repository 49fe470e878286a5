import { writeFileSync } from 'node:fs';
import { readSecret } from '@usher/config';
import { tempDir } from '@usher/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Client } from '../h2/testing/client.ts';
import { until } from '../testing/http.ts';
import {
  BY_COOKIE,
  often,
  pairOf,
  type Served,
  StickyFleet,
  served,
  webSocket,
} from '../testing/sticky-gateway.ts';
import { ListenerFiles, serverFor } from '../testing/tls.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 30_000 });

let fleet: StickyFleet;

beforeEach(() => {
  fleet = new StickyFleet();
});
afterEach(() => fleet.stop());

function withCookie(cookie: string) {
  return { headers: { cookie } };
}

test('hold in all workers, lanes and versions of HTTP, and the backends do not see the cookie', async () => {
  await fleet.configure(BY_COOKIE);
  const port = await fleet.gateway();
  const first = await served(port, withCookie('a=b'));
  expect(first.set).toMatch(/^usher=[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/);
  expect(first.cookie).toBe('a=b');
  const pair = pairOf(first.set);
  for (const path of ['/x', '/zip/x']) {
    const again = await served(port, { path, ...withCookie(`a=b; ${pair}; c=d`) });
    expect(again).toEqual({ id: first.id, cookie: 'a=b; c=d', set: '' });
    expect(await served(port, { path, ...withCookie(pair) })).toEqual({
      id: first.id,
      cookie: '',
      set: '',
    });
    expect(await often(() => served(port, { path, ...withCookie(pair) }))).toEqual(new Set([first.id]));
    const socket = await webSocket(port, path, `Cookie: ${pair}\r\n`);
    expect(socket).toEqual({ id: first.id, set: '', echo: '\x82\x81abcdX' });
  }
  const client = await new Client(`http://127.0.0.1:${port}`).connected();
  fleet.fleet.onClose(() => client.close());
  for (const path of ['/x', '/zip/x']) {
    const { body, headers } = await client.ask({ ':path': path, cookie: ['c=d', pair, 'e=f'] });
    expect(JSON.parse(body)).toEqual({ id: first.id, cookie: 'c=d; e=f' });
    expect(headers['set-cookie']).toBeUndefined();
  }
});

test('begin in every lane and version of HTTP', async () => {
  await fleet.configure(BY_COOKIE);
  const port = await fleet.gateway();
  const begun: { id: string; set: string }[] = [];
  for (const path of ['/x', '/zip/x']) {
    begun.push(await served(port, { path }), await webSocket(port, path, ''));
    const client = await new Client(`http://127.0.0.1:${port}`).connected();
    fleet.fleet.onClose(() => client.close());
    const { body, headers } = await client.ask(path);
    begun.push({ ...(JSON.parse(body) as { id: string }), set: headers['set-cookie']?.join() ?? '' });
  }
  for (const { id, set } of begun) {
    expect(set).toMatch(/^usher=[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(await often(() => served(port, withCookie(pairOf(set))), 3)).toEqual(new Set([id]));
  }
});

test('hold in all gateways of the fleet, and in one that was started anew', async () => {
  await fleet.configure(BY_COOKIE);
  const ports = [await fleet.gateway(), await fleet.gateway()];
  const first = await served(ports[0]!);
  await fleet.gateways[0]!.stop();
  ports.push(await fleet.gateway());
  for (const port of ports.slice(1)) {
    expect(await often(() => served(port, withCookie(pairOf(first.set))))).toEqual(new Set([first.id]));
  }
});

test('what is no cookie of ours, or was changed, is as if it were not there', async () => {
  await fleet.configure(BY_COOKIE);
  const port = await fleet.gateway();
  const pair = pairOf((await served(port)).set);
  const changed = pair.slice(0, 30) + (pair[30] === 'A' ? 'B' : 'A') + pair.slice(31);
  for (const cookie of [changed, 'usher=', 'usher=b1', `usher=${'x'.repeat(4000)}`]) {
    const answer = await served(port, withCookie(`${cookie}; kept=1`));
    expect(answer.set).not.toBe('');
    expect(answer.cookie).toBe('kept=1');
  }
  expect(await fleet.fleet.metrics.sum('usher_sticky_cookies_refused_total', { pool: 'web' })).toBe(4);
});

test('are secure over TLS', async () => {
  await fleet.configure(BY_COOKIE);
  const files = new ListenerFiles([serverFor('any')]);
  fleet.fleet.onClose(() => files.remove());
  const listen = [{ host: '127.0.0.1', port: 0, tls: files.source }];
  const port = await fleet.gateway({ listen, workers: 1 });
  const client = await new Client(`https://127.0.0.1:${port}`, { servername: 'any' }).connected();
  fleet.fleet.onClose(() => client.close());
  for (const path of ['/x', '/zip/x']) {
    const { headers } = await client.ask(path);
    expect(headers['set-cookie']?.join()).toMatch(/; HttpOnly; SameSite=Lax; Secure$/);
  }
});

test('move when their backend drains, all of them, with a reason in the log', async () => {
  await fleet.configure(BY_COOKIE);
  const ports = [await fleet.gateway(), await fleet.gateway()];
  const sessions: Served[] = [];
  for (let each = 0; each < 24; each++) sessions.push(await served(ports[each % 2]!));
  const { id: drained } = sessions[0]!;
  const leaving = sessions.filter(({ id }) => id === drained);
  await fleet.drain(drained);
  const moved: Served[] = [];
  for (const session of sessions) {
    const after = await served(ports[1]!, withCookie(pairOf(session.set)));
    expect(after.id).not.toBe(drained);
    expect(after.set === '').toBe(session.id !== drained);
    if (session.id === drained) moved.push(after);
  }
  await fleet.enable(drained);
  for (const { id, set } of moved) expect((await served(ports[0]!, withCookie(pairOf(set)))).id).toBe(id);
  await until(
    () => fleet.moves().reduce((sum, { count }) => sum + count, 0) === leaving.length,
    'the log has all moves',
  );
  for (const move of fleet.moves())
    expect(move).toMatchObject({ pool: 'web', from: drained, reason: 'draining' });
  expect(await fleet.fleet.metrics.sum('usher_sticky_moves_total', { reason: 'draining' })).toBeGreaterThan(
    0,
  );
});

test('move once, and not with each request that still has the old cookie, in whichever gateway', async () => {
  await fleet.configure(BY_COOKIE);
  const ports = [await fleet.gateway(), await fleet.gateway()];
  const first = await served(ports[0]!);
  const old = withCookie(pairOf(first.set));
  await fleet.drain(first.id);
  const after = await served(ports[0]!, old);
  await until(() => fleet.moves().length > 0, 'the move is in the log');
  await fleet.reached();
  for (const port of ports) expect(await often(() => served(port, old))).toEqual(new Set([after.id]));
  await until(() => fleet.fleet.outbox.pending === 0, 'everything is told');
  expect(fleet.moves()).toHaveLength(1);
});

test('outlive a change of the key that is made step by step, without a restart', async () => {
  const dir = tempDir();
  fleet.fleet.onClose(() => dir.remove());
  const file = (name: string, secret: string) => {
    writeFileSync(`${dir.path}/${name}`, `${secret}\n`);
    return `file:${dir.path}/${name}`;
  };
  const old = file('old', 'the first key of the fleet');
  const next = file('new', 'the second key of the fleet');
  await fleet.configure({ ...BY_COOKIE, keys: [old] });
  const secrets = { secretOf: (reference: string) => readSecret(reference, {}), keyFile: undefined };
  const port = await fleet.gateway({ secrets });
  const first = await served(port);
  await fleet.set({ ...BY_COOKIE, keys: [next, old] });
  let renewed = first;
  await until(async () => {
    renewed = await served(port, withCookie(pairOf(first.set)));
    return renewed.set !== '';
  }, 'a cookie by the new key');
  expect(renewed.id).toBe(first.id);
  await fleet.set({ ...BY_COOKIE, keys: [next] });
  await until(
    async () => (await served(port, withCookie(pairOf(first.set)))).set !== '',
    'the old one is refused',
  );
  expect(await often(() => served(port, withCookie(pairOf(renewed.set))))).toEqual(new Set([first.id]));
  expect(JSON.stringify(fleet.fleet.history)).not.toContain('key of the fleet');
  expect(fleet.fleet.log.entries.filter(({ level }) => level === 'error')).toEqual([]);
});

test('a key that cannot be found is told, and requests are served one by one', async () => {
  await fleet.configure({ ...BY_COOKIE, keys: ['env:NOWHERE'] });
  const secrets = { secretOf: (reference: string) => readSecret(reference, {}), keyFile: undefined };
  const port = await fleet.gateway({ secrets, workers: 1 });
  expect((await served(port)).set).toBe('');
  expect(fleet.fleet.log.entries).toContainEqual({
    level: 'error',
    message: 'a key for cookies cannot be used',
    fields: expect.objectContaining({ reference: 'env:NOWHERE' }),
  });
});

test('the key of a gateway alone is kept in a file', async () => {
  const dir = tempDir();
  fleet.fleet.onClose(() => dir.remove());
  await fleet.configure(BY_COOKIE);
  const secrets = { secretOf: () => '', keyFile: `${dir.path}/cookies.key` };
  const first = await served(await fleet.gateway({ secrets, workers: 1 }));
  const port = await fleet.gateway({ secrets });
  expect(await often(() => served(port, withCookie(pairOf(first.set))))).toEqual(new Set([first.id]));
  const stranger = await fleet.gateway({ workers: 1 });
  expect((await served(stranger, withCookie(pairOf(first.set)))).set).not.toBe('');
});
