import type { StickyCookieSettings } from '@usher/domain';
import { beforeEach, expect, test } from 'vitest';
import { pool as poolSettings, row } from '../testing/fixtures.ts';
import { START, TestTable } from '../testing/table.ts';
import { peerAt, visit } from './testing/visits.ts';

const HOUR_MS = 3_600_000;
const KEY = 'a key that nobody can guess';

const settings: StickyCookieSettings = {
  by: 'cookie',
  name: 'usher',
  path: '/',
  sameSite: 'lax',
  secure: 'auto',
  keys: [],
  ttlMs: 24 * HOUR_MS,
  idleMs: HOUR_MS,
  affinity: true,
};

let harness: TestTable;

function start(changes: Partial<StickyCookieSettings> = {}, secrets: readonly string[] = [KEY]): TestTable {
  const started = new TestTable(
    [row('a'), row('b'), row('c')],
    poolSettings({ sticky: { ...settings, ...changes } }),
  );
  started.apply({ kind: 'sticky_secrets', pool: 'web', secrets });
  return started;
}

beforeEach(() => {
  harness = start();
});

/** What a request with this cookie, and perhaps of a tier, leads to, where the strategy would choose `choice`. */
function request(cookie: string, choice = 'a', { tier = '', on = harness } = {}) {
  const found = visit(on.pool, cookie === '' ? '' : `Cookie: ${cookie}\r\n`);
  if (found === undefined) throw new Error('no visit');
  found.tier = tier;
  const slot = found.preferred([]) ?? on.slot(choice);
  found.began(slot);
  return { at: slot.id, set: found.setCookie(), session: found.session };
}

/** What the backend gets of the cookies in these header lines. */
function leftOf(lines: string): string | undefined {
  return visit(harness.pool, lines)?.cookies;
}

/** What a client of this kind is told to keep. */
function begun(lines: string, client: Parameters<typeof peerAt>[1]): string {
  const found = visit(harness.pool, lines, peerAt('10.0.0.1', client))!;
  found.began(harness.slot('a'));
  return found.setCookie();
}

/** The pair that a client sends back. */
function pairOf(set: string): string {
  return set.slice(0, set.indexOf(';'));
}

test('a client without a cookie goes where the strategy chooses, and stays there with the one it gets', () => {
  const first = request('', 'b');
  expect(first.at).toBe('b');
  expect(first.set).toMatch(/^usher=[\w-]{60,80}; Path=\/; HttpOnly; SameSite=Lax$/);
  const second = request(`x=1; ${pairOf(first.set)}`, 'a');
  expect(second).toEqual({ at: 'b', set: '', session: first.session });
  expect(request('', 'c').session).not.toBe(first.session);
  expect(harness.pool.sticky?.counts).toEqual({ kept: 1, begun: 2, moved: 0, refused: 0, alone: 0 });
});

test('every worker with the key knows the cookie, and no other', () => {
  const { set } = request('', 'b');
  expect(request(pairOf(set), 'a', { on: start() }).at).toBe('b');
  const stranger = start({}, ['another key, which is different']);
  expect(request(pairOf(set), 'a', { on: stranger }).at).toBe('a');
  expect(stranger.pool.sticky?.counts.refused).toBe(1);
});

test('a cookie that was changed is as good as none', () => {
  const pair = pairOf(request('', 'b').set);
  const changed = `${pair.slice(0, -1)}${pair.endsWith('A') ? 'B' : 'A'}`;
  for (const cookie of [changed, 'usher=', 'usher=x', `usher=${'A'.repeat(5000)}`, `${pair}A`]) {
    const answer = request(cookie, 'c');
    expect(answer.at).toBe('c');
    expect(answer.set).not.toBe('');
  }
});

test('of several cookies of the name the first good one counts, and garbage before it costs little', () => {
  const pair = pairOf(request('', 'b').set);
  expect(request(`usher=x; ${pair}`, 'a').at).toBe('b');
  expect(request(`${'usher=x; '.repeat(10)}${pair}`, 'a').at).toBe('a');
});

test('the backend gets the other cookies only', () => {
  const pair = pairOf(request('', 'b').set);
  expect(leftOf('')).toBeUndefined();
  expect(leftOf('Cookie: a=b; c=d\r\n')).toBeUndefined();
  expect(leftOf(`Cookie: ${pair}\r\n`)).toBe('');
  expect(leftOf(`Cookie: a=b; ${pair}; c=d\r\n`)).toBe('a=b; c=d');
  expect(leftOf(`Cookie: a=b; ${pair}\r\ncookie: usher=old;c=d\r\n`)).toBe('a=b; c=d');
  expect(leftOf(`Cookie: ${pair}; usher=2;usher=3\r\nCookie: z=1\r\n`)).toBe('');
});

test('a session ends when nothing came for too long, and not before', () => {
  const pair = pairOf(request('', 'b').set);
  harness.advance(HOUR_MS - 1000);
  expect(request(pair, 'a').at).toBe('b');
  harness.advance(HOUR_MS);
  const late = request(pair, 'a');
  expect(late.at).toBe('a');
  expect(late.set).not.toBe('');
});

test('a session that is used goes on until its time is over, by cookies that are set anew now and then', () => {
  let { set } = request('', 'b');
  let pair = pairOf(set);
  let renewed = 0;
  for (let minutes = 0; minutes < 24 * 60 - 10; minutes += 10) {
    const answer = request(pair, 'a');
    expect(answer.at).toBe('b');
    if (answer.set !== '') {
      renewed += 1;
      pair = pairOf(answer.set);
    }
    harness.advance(10 * 60_000);
  }
  expect(renewed).toBeGreaterThan(24);
  expect(renewed).toBeLessThan(24 * 6);
  harness.advance(10 * 60_000);
  expect(request(pair, 'a').at).toBe('a');
  ({ set } = request(pair, 'a'));
  expect(set).not.toBe('');
});

test('all requests with a cookie that is due get the same new one', () => {
  const pair = pairOf(request('', 'b').set);
  harness.advance(HOUR_MS / 2);
  const { set } = request(pair);
  expect(set).not.toBe('');
  expect(request(pair).set).toBe(set);
  expect(request(pairOf(set)).set).toBe('');
});

test('a session leaves a backend that may not get it, and stays where it went', () => {
  const first = request('', 'b');
  harness.set('b', { eligible: false });
  const moved = request(pairOf(first.set), 'c');
  expect(moved).toMatchObject({ at: 'c', session: first.session });
  expect(moved.set).not.toBe('');
  harness.set('b');
  expect(request(pairOf(moved.set), 'a')).toMatchObject({ at: 'c', set: '' });
  // Another request with the old cookie was on its way.
  expect(request(pairOf(first.set), 'a')).toMatchObject({ at: 'c', set: moved.set });
  expect(harness.moves).toEqual([['web', first.session, 'b', 'c', 'ineligible']]);
});

test('a backend that is gone is left as well, and one that moved to another address is not', () => {
  const first = request('', 'b');
  harness.set('b', { url: 'http://127.0.0.1:10' });
  expect(request(pairOf(first.set), 'a').at).toBe('b');
  harness.apply({ kind: 'backend_removed', backend: 'b' });
  expect(request(pairOf(first.set), 'a').at).toBe('a');
  expect(request(pairOf(first.set), 'c', { on: start() }).at).toBe('b');
});

test('a session goes with the attempt that another backend answers', () => {
  const first = request('', 'b');
  const found = visit(harness.pool, `Cookie: ${pairOf(first.set)}\r\n`)!;
  const tried = [found.preferred([])!];
  found.began(tried[0]!);
  expect(found.preferred(tried)).toBeUndefined();
  found.began(harness.slot('c'));
  expect(request(pairOf(found.setCookie()), 'a').at).toBe('c');
  expect(harness.moves).toEqual([['web', first.session, 'b', 'c', 'failed']]);
});

test('sessions leave together: where somebody else moved one, it goes too', () => {
  const first = request('', 'b');
  harness.set('b', { eligible: false });
  harness.apply({ kind: 'sticky_moved', pool: 'web', session: first.session, to: 'c' });
  expect(request(pairOf(first.set), 'a').at).toBe('c');
  expect(harness.moves).toEqual([]);
});

test('a new key signs, and an old one is good until it is gone', () => {
  const pair = pairOf(request('', 'b').set);
  harness.apply({ kind: 'sticky_secrets', pool: 'web', secrets: ['a new key, not guessed either', KEY] });
  const answer = request(pair, 'a');
  expect(answer.at).toBe('b');
  expect(answer.set).not.toBe('');
  harness.apply({ kind: 'sticky_secrets', pool: 'web', secrets: ['a new key, not guessed either'] });
  expect(request(pairOf(answer.set), 'a').at).toBe('b');
  expect(request(pair, 'a').at).toBe('a');
});

test('without a key requests are served one by one', () => {
  const on = start({}, []);
  expect(request('', 'b', { on })).toMatchObject({ at: 'b', set: '' });
});

test('the cookie is secure over TLS, also where a trusted proxy ended that', () => {
  const claim = 'X-Forwarded-Proto: https\r\n';
  expect(begun('', { scheme: 'https' })).toContain('; Secure');
  expect(begun(claim, { trusted: true })).toContain('; Secure');
  expect(begun(claim, {})).not.toContain('Secure');
});

test('requests of another tier go along, unless the backend has no room for that tier', () => {
  const first = request('', 'b', { tier: 'small' });
  expect(request(pairOf(first.set), 'a', { tier: 'large' }).at).toBe('b');
  const found = visit(harness.pool, `Cookie: ${pairOf(first.set)}\r\n`)!;
  found.tier = 'large';
  expect(found.preferred([])?.id).toBe('b');
  // What reserves found that there is room elsewhere only.
  found.began(harness.slot('c'));
  const both = pairOf(found.setCookie());
  const on = start();
  expect(request(both, 'a', { tier: 'large', on }).at).toBe('c');
  expect(request(both, 'a', { tier: 'small', on }).at).toBe('b');
  expect(request(both, 'a', { on }).at).toBe('b');
  on.set('b', { eligible: false });
  expect(request(both, 'a', { tier: 'small', on }).at).toBe('a');
});

test('without affinity each tier has a backend of its own', () => {
  harness = start({ affinity: false });
  const first = request('', 'b', { tier: 'small' });
  const second = request(pairOf(first.set), 'c', { tier: 'large' });
  expect(second.at).toBe('c');
  expect(request(pairOf(second.set), 'a', { tier: 'small' }).at).toBe('b');
  expect(request(pairOf(second.set), 'a', { tier: 'large' }).at).toBe('c');
});

test('other settings of the pool forget nothing', () => {
  const pair = pairOf(request('', 'b').set);
  const { sticky } = harness.pool;
  harness.apply({ kind: 'pool', settings: poolSettings({ drainMs: 1, sticky: { ...settings } }) });
  expect(harness.pool.sticky).toBe(sticky);
  harness.apply({ kind: 'pool', settings: poolSettings({ sticky: { ...settings, ttlMs: HOUR_MS } }) });
  expect(request(pair, 'a').at).toBe('b');
  harness.apply({ kind: 'pool', settings: poolSettings() });
  expect(harness.pool.sticky).toBeUndefined();
  expect(harness.nowMs).toBe(START);
});
