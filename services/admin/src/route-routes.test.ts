import { problemOf } from '@usher/domain';
import { beforeEach, expect, test } from 'vitest';
import { smallFleet, TestAdmin, VIEW } from './test-admin.ts';

let admin: TestAdmin;
/** What gateways were asked, by subject. */
let asked: [subject: string, request: unknown][];
beforeEach(async () => {
  admin = new TestAdmin();
  await admin.write(...smallFleet());
  asked = [];
  admin.route = async (subject, payload) => {
    asked.push([subject, JSON.parse(payload) as unknown]);
    return JSON.stringify({ ok: true, answer: { gateway: 'gw1', chosen: 'b1' } });
  };
});

const explain = (payload: unknown) =>
  admin.app.inject({
    method: 'POST',
    url: '/v1/route',
    headers: { ...VIEW, 'content-type': 'application/json' },
    payload: JSON.stringify(payload),
  });

const question = { url: 'https://example.com/x', headers: { a: 'b' } };

test('any gateway is asked what it would do, and its answer handed back', async () => {
  const answer = await explain(question);
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toEqual({ gateway: 'gw1', chosen: 'b1' });
  expect(asked).toEqual([['usher.route', { act: 'explain', question }]]);
  expect(admin.sent).toEqual([]);
});

test('a gateway may be named', async () => {
  expect((await explain({ ...question, gateway: 'gw1' })).statusCode).toBe(200);
  expect(asked).toEqual([['usher.route.gw1', { act: 'explain', question }]]);
});

test('a gateway that is unknown or gone is told apart from one that does not answer', async () => {
  expect((await explain({ ...question, gateway: 'gw2' })).json()).toMatchObject({
    status: 404,
    code: 'not_found',
  });
  await admin.write({ type: 'gateway.stopped', subject: 'gw1', data: { gateway: 'gw1' } });
  const gone = await explain({ ...question, gateway: 'gw1' });
  expect(gone.json()).toMatchObject({
    status: 503,
    code: 'no_gateway',
    detail: 'gateway gw1 is not running',
  });
  expect(asked).toEqual([]);
});

test('where no gateway answers, it says so and when to try again', async () => {
  const nobody = new TestAdmin();
  admin.route = nobody.route;
  const answer = await explain(question);
  expect(answer.json()).toMatchObject({
    status: 503,
    code: 'no_gateway',
    detail: 'nobody serves usher.route',
  });
  expect(answer.headers['retry-after']).toBe('2');
});

test('what a gateway refuses is answered with its problem', async () => {
  admin.route = async () =>
    JSON.stringify({ ok: false, problem: problemOf('invalid_input', 'pool: there is no pool x') });
  const answer = await explain({ ...question, pool: 'x' });
  expect(answer.json()).toMatchObject({ status: 400, detail: 'pool: there is no pool x' });
});

test.each([
  ['nothing', undefined],
  ['a list', []],
  ['no URL', { url: 'example.com' }],
  ['an unknown field', { ...question, colour: 'red' }],
  ['a strange gateway', { ...question, gateway: '>' }],
])('%s is bad input, and nobody is asked', async (_what, body) => {
  const answer = await explain(body);
  expect(answer.json()).toMatchObject({ status: 400, code: 'invalid_input' });
  expect(asked).toEqual([]);
});

test('reading is enough of a role, and needed', async () => {
  const headers = { 'content-type': 'application/json' };
  const answer = await admin.app.inject({ method: 'POST', url: '/v1/route', headers, payload: question });
  expect(answer.statusCode).toBe(401);
});
