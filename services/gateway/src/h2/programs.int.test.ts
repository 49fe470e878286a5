import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import { Harness, type HarnessOptions } from '../wire/testing/harness.ts';
import { answering, ok } from '../wire/testing/raw-backend.ts';

const run = promisify(execFile);

let harness: Harness;

async function start(options: HarnessOptions = {}): Promise<string> {
  harness = await Harness.start(
    [answering((request) => ok(request.body === '' ? 'hello' : request.body))],
    options,
  );
  return `${options.tls === true ? 'https' : 'http'}://127.0.0.1:${harness.port}/`;
}

afterEach(() => harness.stop());

test.each([
  ['by prior knowledge', '--http2-prior-knowledge', {}],
  ['over TLS', '--http2', { tls: true }],
])('curl speaks HTTP/2 %s', async (_how, option, options) => {
  const url = await start(options);
  const curl = (...more: string[]) =>
    run('curl', ['-sk', option, '-H', 'host: any', '-w', ' %{http_version} %{http_code}', ...more, url]);
  expect((await curl()).stdout).toBe('hello 2 200');
  expect((await curl('-d', 'sent')).stdout).toBe('sent 2 200');
  expect((await curl('-I')).stdout).toContain('HTTP/2 200');
});

test('every request of a load is answered', async () => {
  const url = await start();
  const load = ['-n', '2000', '-c', '4', '-m', '16', '-H', ':authority: any', url];
  const { stdout } = await run('h2load', load);
  expect(stdout).toContain('2000 succeeded, 0 failed, 0 errored, 0 timeout');
  await harness.settled();
  expect(harness.counters.requestsByClass[2]).toBe(2000);
  expect(harness.counters.clientAborts).toBe(0);
});
