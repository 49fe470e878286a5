import { beforeEach, expect, test } from 'vitest';
import { smallFleet, TestAdmin } from './test-admin.ts';

let admin: TestAdmin;
beforeEach(async () => {
  admin = new TestAdmin();
  await admin.write(...smallFleet());
});

const preview = (payload: unknown, token = 'owner-secret') =>
  admin.app.inject({
    method: 'POST',
    url: '/v1/config/preview',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    payload: JSON.stringify(payload),
  });

test('a text is answered with what it would change, and nothing is sent', async () => {
  const answer = await preview({ text: 'pools: 1' });
  expect([answer.statusCode, answer.json()]).toEqual([200, { preview: null, faults: ['pools: 1 is none'] }]);
  expect(admin.sent).toEqual([]);
});

test('only administrators may ask', async () => {
  for (const token of ['view-secret', 'ops-secret'])
    expect((await preview({ text: '{}' }, token)).statusCode).toBe(403);
});

test.each([{}, { text: 1 }, { text: '{}', file: '/etc/passwd' }])('%j is refused', async (payload) => {
  expect((await preview(payload)).json()).toMatchObject({ status: 400, code: 'invalid_input' });
});
