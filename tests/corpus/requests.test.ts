import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { REQUEST_THEMES } from './requests/index.ts';
import { CorpusGateway } from './run/corpus-gateway.ts';
import { RecordingBackend } from './run/recording-backend.ts';
import { runRequests } from './run/request-runs.ts';

// A whole gateway with its threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const EMPTY_OK = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';

let gateway: CorpusGateway;

beforeAll(async () => {
  gateway = await CorpusGateway.start(new RecordingBackend((_, connection) => connection.send(EMPTY_OK)));
});
afterAll(() => gateway.stop());

test.each(Object.entries(REQUEST_THEMES))('%s: every case has its verdict', async (theme, cases) => {
  expect(
    await runRequests(
      gateway,
      cases.map((row) => ({ theme, row })),
    ),
  ).toEqual([]);
});

test('the corpus is as large as it has to be, and every case has a name of its own', () => {
  const names = Object.entries(REQUEST_THEMES).flatMap(([theme, cases]) =>
    cases.map(({ name }) => `${theme}: ${name}`),
  );
  expect(names.length).toBeGreaterThanOrEqual(300);
  expect(new Set(names).size).toBe(names.length);
});
