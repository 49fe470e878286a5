import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { RESPONSE_THEMES } from './responses/index.ts';
import { CorpusGateway } from './run/corpus-gateway.ts';
import { CaseBackend, runResponses } from './run/response-runs.ts';

// A whole gateway with its threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const backend = new CaseBackend();
let gateway: CorpusGateway;

beforeAll(async () => {
  gateway = await CorpusGateway.start(backend);
});
afterAll(() => gateway.stop());

test.each(Object.entries(RESPONSE_THEMES))('%s: every case has its verdict', async (theme, cases) => {
  const runs = cases.map((row) => ({ theme, row }));
  expect(await runResponses(gateway, backend, runs)).toEqual([]);
});

test('the corpus is as large as it has to be, and every case has a name of its own', () => {
  const names = Object.entries(RESPONSE_THEMES).flatMap(([theme, cases]) =>
    cases.map(({ name }) => `${theme}: ${name}`),
  );
  expect(names.length).toBeGreaterThanOrEqual(100);
  expect(new Set(names).size).toBe(names.length);
});
