import { afterAll, beforeAll, expect, test } from 'vitest';
import { REQUEST_THEMES } from './requests/index.ts';
import { boundariesOf } from './run/boundaries.ts';
import { CorpusGateway } from './run/corpus-gateway.ts';
import { RecordingBackend } from './run/recording-backend.ts';
import { type RequestRun, runRequests } from './run/request-runs.ts';

const EMPTY_OK = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';
/** Connections at a time. */
const BATCH = 250;

let gateway: CorpusGateway;

beforeAll(async () => {
  gateway = await CorpusGateway.start(new RecordingBackend((_, connection) => connection.send(EMPTY_OK)));
});
afterAll(() => gateway.stop());

test.each(Object.entries(REQUEST_THEMES))(
  '%s: every case has its verdict wherever it is split',
  async (theme, cases) => {
    const runs: RequestRun[] = cases.flatMap((row) =>
      boundariesOf(row.raw).map((splitAt) => ({ theme, row, splitAt })),
    );
    for (let at = 0; at < runs.length; at += BATCH) {
      expect(await runRequests(gateway, runs.slice(at, at + BATCH))).toEqual([]);
    }
  },
);
