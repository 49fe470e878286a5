import { parseArgs } from 'node:util';
import { type FuzzReport, fuzzApi } from './fuzzer.ts';
import { SECRETS, startUsherUnderTest } from './usher-under-test.ts';

/**
 * `npm run fuzz:api [-- --requests N --seed S]`: sends requests made from the API's own document to a whole Usher, then
 * rebuilds its state from the log alone. Equal seeds make equal requests.
 */

const REQUESTS_DEFAULT = '100000';
const PROGRESS_REQUESTS = 10_000;

const { values } = parseArgs({
  options: { requests: { type: 'string', default: REQUESTS_DEFAULT }, seed: { type: 'string' } },
});
const requests = Number(values.requests);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
const startMs = performance.now();
let shown = 0;

console.log(`${requests} requests from seed ${seed}`);
const tested = await startUsherUnderTest();
const { process: usher } = tested;
try {
  const report = await fuzzApi({
    url: usher.admin,
    secrets: SECRETS,
    requests,
    seed,
    onProgress(progress) {
      if (progress.requests - shown < PROGRESS_REQUESTS) return;
      shown = progress.requests;
      console.log(summary(progress));
    },
  });
  console.log(summary(report));
  for (const { index, what, request } of report.findings) {
    const { method, target, headers, body } = request;
    console.error(`request ${index}: ${what}\n  ${JSON.stringify({ method, target, headers, body })}`);
  }
  const { position, digest } = await usher.status();
  const same = (await usher.replayedDigest(position)) === digest;
  console.log(`position ${position}; the log alone gives ${same ? 'the same' : 'another'} state`);
  if (report.findings.length > 0 || !same) process.exitCode = 1;
} finally {
  await tested.stop();
}

function summary({ requests, statuses, findings, missed }: FuzzReport): string {
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  const counts = [...statuses].toSorted(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
  return `${requests} requests in ${seconds} s, ${findings.length} findings, never carried out: ${missed().join(', ') || 'none'} (${counts.join(', ')})`;
}
