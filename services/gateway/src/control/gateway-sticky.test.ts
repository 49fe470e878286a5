import { writeFileSync } from 'node:fs';
import { readSecret } from '@usher/config';
import { tempDir } from '@usher/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Client } from '../h2/testing/client.ts';
import { until } from '../testing/http.ts';
import {
  BY_COOKIE,
  BY_HEADER,
  BY_IP,
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
const closing: (() => unknown)[] = [];

beforeEach(() => {
  fleet = new StickyFleet();
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  await fleet.stop();
});

function withCookie(cookie: string, more: Record<string, string> = {}) {
  return { headers: { ...(cookie === '' ? {} : { cookie }), ...more } };
}

/** Asks many times, on connections of their own and so in all workers. */
async function often(ask: () => Promise<Served>, times = 12): Promise<Set<string>> {
  const answers = await Promise.all(Array.from({ length: times }, ask));
  return new Set(answers.map(({ id }) => id));
}

describe('sessions by cookie', () => {
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
    closing.push(() => client.close());
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
      closing.push(() => client.close());
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
    closing.push(() => files.remove());
    const listen = [{ host: '127.0.0.1', port: 0, tls: files.source }];
    const port = await fleet.gateway({ listen, workers: 1 });
    const client = await new Client(`https://127.0.0.1:${port}`, { servername: 'any' }).connected();
    closing.push(() => client.close());
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
      () => movesOf().reduce((sum, { count }) => sum + count, 0) === leaving.length,
      'the log has all moves',
    );
    for (const move of movesOf())
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
    await until(() => movesOf().length > 0, 'the move is in the log');
    await fleet.reached();
    for (const port of ports) expect(await often(() => served(port, old))).toEqual(new Set([after.id]));
    await until(() => fleet.fleet.outbox.pending === 0, 'everything is told');
    expect(movesOf()).toHaveLength(1);
  });

  test('outlive a change of the key that is made step by step, without a restart', async () => {
    const dir = tempDir();
    closing.push(() => dir.remove());
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
    closing.push(() => dir.remove());
    await fleet.configure(BY_COOKIE);
    const secrets = { secretOf: () => '', keyFile: `${dir.path}/cookies.key` };
    const first = await served(await fleet.gateway({ secrets, workers: 1 }));
    const port = await fleet.gateway({ secrets });
    expect(await often(() => served(port, withCookie(pairOf(first.set))))).toEqual(new Set([first.id]));
    const stranger = await fleet.gateway({ workers: 1 });
    expect((await served(stranger, withCookie(pairOf(first.set)))).set).not.toBe('');
  });
});

describe('sessions in the store', () => {
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
      closing.push(() => client.close());
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
      const answers = await Promise.all(
        Array.from({ length: 6 }, (_, each) => served(ports[each % 2]!, user)),
      );
      expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
      after.push(answers[0]!.id);
      if (before[index]!.id !== drained) expect(after[index]).toBe(before[index]!.id);
      else expect(after[index]).not.toBe(drained);
    }
    const leaving = before.filter(({ id }) => id === drained).length;
    await until(
      () =>
        new Set(movesOf().flatMap(({ sessions }) => sessions.map(({ session }) => session))).size === leaving,
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
});

function movesOf() {
  return fleet.fleet.history.flatMap((event) => (event.type === 'sticky.moved' ? [event.data] : []));
}
