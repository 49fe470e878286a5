import { problemOf, UsherError } from '@usher/domain';
import { beforeEach, expect, test } from 'vitest';
import { smallFleet, TestAdmin, VIEW } from './test-admin.ts';

let admin: TestAdmin;
beforeEach(() => {
  admin = new TestAdmin();
});

const DISABLE = { name: 'backend.disable', data: { backend: 'b1' } };

test('a command is sent to the leader, and its answer handed back', async () => {
  admin.answer = async () => ({ ok: true, position: 0, events: ['backend.disabled'], repeated: true });
  const answer = await admin.send('POST', '/v1/commands', { ...DISABLE, reason: 'firmware' });
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toEqual({ position: 0, events: ['backend.disabled'], repeated: true });
  expect(admin.sent).toEqual([
    {
      subject: 'usher.commands.backend.disable',
      command: {
        ...DISABLE,
        id: expect.any(String) as string,
        actor: 'ops',
        role: 'operate',
        reason: 'firmware',
      },
    },
  ]);
});

test.each([
  [
    'POST',
    '/v1/backends',
    { id: 'b3', pool: 'web', url: 'http://10.0.0.3:3000' },
    'backend.add',
    {
      settings: { id: 'b3', pool: 'web', url: 'http://10.0.0.3:3000', weight: 1 },
    },
  ],
  [
    'PATCH',
    '/v1/backends/b1',
    { weight: 3, zone: 'a' },
    'backend.update',
    { backend: 'b1', weight: 3, zone: 'a' },
  ],
  ['DELETE', '/v1/backends/b1', undefined, 'backend.remove', { backend: 'b1' }],
  [
    'POST',
    '/v1/backends/b1/drain',
    { deadlineMs: 5000 },
    'backend.drain',
    { backend: 'b1', deadlineMs: 5000 },
  ],
  ['POST', '/v1/backends/b1/enable', undefined, 'backend.enable', { backend: 'b1' }],
  ['POST', '/v1/backends/b1/disable', {}, 'backend.disable', { backend: 'b1' }],
  [
    'POST',
    '/v1/pools/web/strategy',
    { strategy: 'round_robin' },
    'pool.set_strategy',
    { pool: 'web', strategy: 'round_robin' },
  ],
] as const)('%s %s is short for a command', async (method, url, body, name, data) => {
  const answer = await admin.send(method, `${url}?reason=because`, body);
  expect(answer.statusCode).toBe(200);
  expect(admin.sent.map(({ command }) => command)).toEqual([
    { id: expect.any(String) as string, name, data, actor: 'ops', role: 'operate', reason: 'because' },
  ]);
});

test('Idempotency-Key is the id, If-Match the revision the command is based on', async () => {
  await admin.send('POST', '/v1/backends/b1/disable', undefined, {
    'idempotency-key': 'k-1',
    'if-match': '"12"',
  });
  await admin.send('POST', '/v1/commands', { ...DISABLE, expectRevision: 7 }, { 'if-match': '*' });
  await admin.send('POST', '/v1/commands', DISABLE);
  const [first, second, third] = admin.sent.map(({ command }) => command);
  expect(first).toMatchObject({ id: 'k-1', expectRevision: 12 });
  expect(second).toMatchObject({ expectRevision: 7 });
  expect(third).not.toHaveProperty('expectRevision');
  expect(third?.id).not.toBe(second?.id);
});

test('somebody may be acted for, but never in the name of another token', async () => {
  await admin.send('POST', '/v1/commands', { ...DISABLE, actor: 'mara' });
  await admin.send('POST', '/v1/commands', { ...DISABLE, actor: 'root' });
  expect(admin.sent.map(({ command }) => command.actor)).toEqual(['ops/mara', 'ops/root']);
});

test('what the leader refuses is answered with its problem', async () => {
  admin.answer = async () => ({ ok: false, problem: problemOf('conflict', 'backend b1 is at revision 14') });
  const answer = await admin.send('POST', '/v1/commands', DISABLE);
  expect(answer.statusCode).toBe(409);
  expect(answer.json()).toEqual(problemOf('conflict', 'backend b1 is at revision 14'));
});

test('without a leader it is answered with 503 and when to try again', async () => {
  admin.answer = () => Promise.reject(new UsherError('no_leader'));
  const answer = await admin.send('POST', '/v1/commands', DISABLE);
  expect(answer.statusCode).toBe(503);
  expect(answer.headers['retry-after']).toBe('2');
  expect(answer.json()).toMatchObject({ code: 'no_leader' });
});

test('a read after the answer sees what the command did', async () => {
  await admin.write(...smallFleet());
  admin.lag();
  admin.answer = async () => {
    const position = await admin.write({ type: 'backend.disabled', subject: 'b1', data: { backend: 'b1' } });
    return { ok: true, position, events: ['backend.disabled'], repeated: false };
  };
  const answer = admin.send('POST', '/v1/backends/b1/disable');
  let answered = false;
  void answer.finally(() => {
    answered = true;
  });
  await expect.poll(() => admin.sent.length, { timeout: 5000 }).toBe(1);
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(answered).toBe(false);
  admin.catchUp();
  await answer;
  expect((await admin.get('/v1/backends/b1')).json()).toMatchObject({ lifecycle: 'disabled' });
});

test('a fold that lags does not hold the answer back for ever', async () => {
  admin.answer = async () => ({ ok: true, position: 99, events: [], repeated: false });
  const answer = admin.send('POST', '/v1/commands', DISABLE);
  await expect.poll(() => admin.clock.timers, { timeout: 5000 }).toBe(1);
  admin.clock.advance(1000);
  expect((await answer).statusCode).toBe(200);
});

test('changes need the role operate', async () => {
  for (const [method, url] of [
    ['POST', '/v1/commands'],
    ['POST', '/v1/backends'],
    ['PATCH', '/v1/backends/b1'],
    ['DELETE', '/v1/backends/b1'],
    ['POST', '/v1/backends/b1/drain'],
    ['POST', '/v1/pools/web/strategy'],
  ] as const) {
    expect((await admin.app.inject({ method, url, headers: VIEW })).statusCode).toBe(403);
    expect((await admin.app.inject({ method, url })).statusCode).toBe(401);
  }
  expect(admin.sent).toEqual([]);
});

test('a body of null is no JSON object', async () => {
  for (const [method, url] of [
    ['PATCH', '/v1/backends/b1'],
    ['POST', '/v1/backends/b1/drain'],
  ] as const) {
    const headers = { authorization: 'Bearer ops-secret', 'content-type': 'application/json' };
    const answer = await admin.app.inject({ method, url, headers, payload: 'null' });
    expect(answer.json()).toMatchObject({ status: 400, detail: 'The body must be a JSON object' });
  }
  expect(admin.sent).toEqual([]);
});

test.each([
  ['no body', '/v1/commands', undefined, {}],
  ['a list', '/v1/commands', [], {}],
  ['a text', '/v1/commands', 'drain', {}],
  ['an unknown command', '/v1/commands', { name: 'backend.paint', data: {} }, {}],
  ['an inherited name', '/v1/commands', { name: 'toString', data: {} }, {}],
  ['an unknown field', '/v1/commands', { ...DISABLE, colour: 'red' }, {}],
  ['an id of its own', '/v1/commands', { ...DISABLE, id: 'x' }, {}],
  ['an actor that is no text', '/v1/commands', { ...DISABLE, actor: 5 }, {}],
  ['unknown data', '/v1/commands', { ...DISABLE, data: { backend: 'b1', colour: 'red' } }, {}],
  ['a bad backend id', '/v1/commands', { ...DISABLE, data: { backend: '../b1' } }, {}],
  ['a bad revision', '/v1/commands', DISABLE, { 'if-match': '12' }],
  ['a weak revision', '/v1/commands', DISABLE, { 'if-match': 'W/"12"' }],
  ['two revisions', '/v1/commands', { ...DISABLE, expectRevision: 7 }, { 'if-match': '"12"' }],
  ['an endless key', '/v1/commands', DISABLE, { 'idempotency-key': 'k'.repeat(101) }],
  ['a backend without a URL', '/v1/backends', { id: 'b3', pool: 'web' }, {}],
  [
    'a weight that is no number',
    '/v1/backends',
    { id: 'b3', pool: 'web', url: 'http://x', weight: 'much' },
    {},
  ],
  ['a backend named twice', '/v1/backends/b1/drain', { backend: 'b2' }, {}],
  ['an unknown strategy', '/v1/pools/web/strategy', { strategy: 'best' }, {}],
  ['an endless reason', `/v1/backends/b1/drain?reason=${'x'.repeat(501)}`, undefined, {}],
  ['an unknown parameter', '/v1/backends/b1/drain?now=true', undefined, {}],
  ['a parameter given twice', '/v1/backends/b1/drain?reason=a&reason=b', undefined, {}],
  ['a strange id in the path', '/v1/backends/%00/drain', undefined, {}],
])('%s is bad input, and nothing is sent', async (_what, url, body, headers) => {
  const answer = await admin.send('POST', url, body, headers);
  expect(answer.statusCode).toBe(400);
  expect(answer.headers['content-type']).toBe('application/problem+json');
  const problem = answer.json<{ code: string; detail: string }>();
  expect(problem.code).toBe('invalid_input');
  expect(problem.detail).not.toBe('');
  expect(admin.sent).toEqual([]);
});

test('a code of a newer scheduler is answered as an internal error with its detail', async () => {
  admin.answer = async () =>
    JSON.parse('{"ok":false,"problem":{"code":"brand_new","detail":"quite new"}}') as never;
  const answer = await admin.send('POST', '/v1/commands', DISABLE);
  expect(answer.json()).toMatchObject({ status: 500, code: 'internal', detail: 'quite new' });
});
