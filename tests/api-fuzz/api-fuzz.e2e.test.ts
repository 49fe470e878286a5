import { afterAll, beforeAll, expect, test } from 'vitest';
import { readApi } from './document.ts';
import { fuzzApi } from './fuzzer.ts';
import { SECRETS, startUsherUnderTest } from './usher-under-test.ts';

const REQUESTS = 5_000;
const LIMIT_MS = 120_000;

let usher: Awaited<ReturnType<typeof startUsherUnderTest>>;

beforeAll(async () => {
  usher = await startUsherUnderTest();
});

afterAll(async () => {
  await usher.stop();
});

test(
  `of ${REQUESTS} requests made from the document of the API each is answered as documented, and never with 5xx`,
  async () => {
    const { process } = usher;
    const { pid } = process;
    const report = await fuzzApi({
      url: process.admin,
      secrets: SECRETS,
      requests: REQUESTS,
      seed: 20_261_121,
    });
    expect(report.findings).toEqual([]);
    expect(report.requests).toBe(REQUESTS);
    // Otherwise it would have been refused at the door and proved nothing.
    expect(report.missed()).toEqual([]);
    expect(process.pid).toBe(pid);
    const { position, digest } = await process.status();
    expect(await process.replayedDigest(position)).toBe(digest);
  },
  LIMIT_MS,
);

test('an answer that the document does not know is found', () => {
  const schema = { type: 'object', properties: { a: { $ref: '#/components/schemas/A' } }, required: ['a'] };
  const responses = { 200: { content: { 'application/json': { schema } } }, 204: {} };
  const { operations } = readApi({
    paths: { '/x': { get: { operationId: 'x', responses } } },
    components: { schemas: { A: { type: 'integer' } } },
  });
  const judge = (status: number, type: string, text: string) => operations[0]?.judge(status, type, text);
  expect(judge(200, 'application/json', '{"a":1}')).toBeUndefined();
  expect(judge(204, '', '')).toBeUndefined();
  expect(judge(200, 'application/json', '{"a":"1"}')).toContain('not as documented: a');
  expect(judge(200, 'text/html', '')).toContain('type text/html');
  expect(judge(200, 'application/json', '{')).toContain('not JSON');
  expect(judge(404, 'application/json', '{}')).toContain('not documented');
});
