import { afterAll, beforeAll, expect, test } from 'vitest';
import { RESPONSE_THEMES } from './responses/index.ts';
import { boundariesOf } from './run/boundaries.ts';
import { CorpusGateway } from './run/corpus-gateway.ts';
import { CaseBackend, type ResponseRun, runResponses } from './run/response-runs.ts';

/** Connections at a time. */
const BATCH = 200;

const backend = new CaseBackend();
let gateway: CorpusGateway;

beforeAll(async () => {
  gateway = await CorpusGateway.start(backend);
});
afterAll(() => gateway.stop());

test.each(Object.entries(RESPONSE_THEMES))(
  '%s: every case has its verdict wherever it is split',
  async (theme, cases) => {
    const runs: ResponseRun[] = cases.flatMap((row) =>
      boundariesOf(row.raw).map((splitAt) => ({ theme, row, splitAt })),
    );
    for (let at = 0; at < runs.length; at += BATCH) {
      expect(await runResponses(gateway, backend, runs.slice(at, at + BATCH))).toEqual([]);
    }
  },
);
