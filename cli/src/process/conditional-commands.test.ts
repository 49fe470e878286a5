import type { Problem } from '@usher/domain';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestFleet } from './test-fleet.ts';

let fleet: TestFleet;
beforeEach(async () => {
  fleet = await TestFleet.start();
});
afterEach(async () => await fleet.stop());

/** The revision that a read shows. */
async function revisionOf(path: string): Promise<string> {
  return (await fleet.ask('GET', path)).etag!;
}

test('of two operators who change the same revision at once one wins, and the other learns what has changed', async () => {
  for (let round = 1; round <= 40; round++) {
    const before = await fleet.ask<{ weight: number }>('GET', '/v1/backends/a');
    const weights = [round + 100, round + 500];
    const answers = await Promise.all(
      weights.map((weight) =>
        fleet.ask<Problem>('PATCH', '/v1/backends/a', { weight }, { 'if-match': before.etag! }),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 409]));
    const won = weights[answers.findIndex(({ status }) => status === 200)]!;
    const after = await fleet.ask<{ weight: number }>('GET', '/v1/backends/a');
    expect(after.body.weight).toBe(won);
    expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({
      code: 'conflict',
      revision: Number(after.etag!.slice(1, -1)),
      changes: [{ path: 'weight', before: before.body.weight, after: won }],
    });
  }
});

test('what a pool’s revision was based on is told part by part', async () => {
  const seen = await revisionOf('/v1/pools/web');
  await fleet.ask('POST', '/v1/pools/web/strategy', { strategy: 'maglev' });
  const late = await fleet.ask<Problem>(
    'POST',
    '/v1/pools/web/strategy',
    { strategy: 'random' },
    { 'if-match': seen },
  );
  expect(late.status).toBe(409);
  expect(late.body.changes).toEqual([{ path: 'strategy', before: 'p2c', after: 'maglev' }]);
});

const settings = (id: string) => ({ id, pool: 'web', url: 'http://10.0.0.9:80' });

test('who adds may require that the configuration is the one that was seen', async () => {
  const seen = await revisionOf('/v1/config');
  expect((await fleet.ask('POST', '/v1/backends', settings('c'), { 'if-match': seen })).status).toBe(200);
  const late = await fleet.ask<Problem>('POST', '/v1/backends', settings('d'), { 'if-match': seen });
  expect(late.status).toBe(409);
  expect(late.body.changes).toEqual([{ path: 'backends.c', after: { ...settings('c'), weight: 1 } }]);
});

test('a drain is a change of the backend, and one that removes it is a change of the configuration', async () => {
  const [config, backend] = [await revisionOf('/v1/config'), await revisionOf('/v1/backends/a')];
  await fleet.ask('POST', '/v1/backends/a/drain');
  expect(await revisionOf('/v1/config')).toBe(config);
  const late = await fleet.ask<Problem>('POST', '/v1/backends/a/disable', undefined, { 'if-match': backend });
  expect(late.body.changes).toContainEqual({
    path: 'lifecycle',
    before: 'active',
    after: expect.stringMatching(/^drain/),
  });
  await fleet.ask('DELETE', '/v1/backends/b');
  expect(await revisionOf('/v1/config')).not.toBe(config);
});

test('a revision that has not been yet is refused without a tale of changes', async () => {
  const late = await fleet.ask<Problem>('PATCH', '/v1/backends/a', { weight: 2 }, { 'if-match': '"999999"' });
  expect(late.status).toBe(409);
  expect(late.body).not.toHaveProperty('changes');
  expect(late.body.revision).toBe(Number((await revisionOf('/v1/backends/a')).slice(1, -1)));
});

test('a command repeated by its id gets the same answer and changes nothing, however often it comes at once', async () => {
  const seen = await revisionOf('/v1/backends/a');
  const again = { 'if-match': seen, 'idempotency-key': 'the-one' };
  const answers = await Promise.all(
    Array.from({ length: 20 }, () =>
      fleet.ask<{ repeated: boolean; position: number; events: string[] }>(
        'PATCH',
        '/v1/backends/a',
        { weight: 7 },
        again,
      ),
    ),
  );
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  expect(answers.filter(({ body }) => !body.repeated)).toHaveLength(1);
  const told = new Set(answers.map(({ body: { position, events } }) => `${position} ${events.join()}`));
  expect(told.size).toBe(1);
  expect(await revisionOf('/v1/backends/a')).toBe(`"${answers[0]!.body.position}"`);
});
