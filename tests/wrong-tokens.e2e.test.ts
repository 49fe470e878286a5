import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import path from 'node:path';
import { tempDir } from '@usher/testing';
import { expect, test } from 'vitest';
import { startBackend } from './support/backend.ts';
import { Load } from './support/load.ts';
import { UsherProcess } from './support/usher-process.ts';
import { until } from './support/wait.ts';

const WRONG_TOKENS = 10_000;
const GUESSERS = 16;
/** Another address than the one that the operator calls from. */
const GUESSER_ADDRESS = '127.0.0.66';

/** Sends wrong tokens, one after the other, and counts how they are answered. */
async function guess(port: number, count: number, token: () => string): Promise<Map<number, number>> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const answers = new Map<number, number>();
  for (let sent = 0; sent < count; sent++) {
    const status = await new Promise<number>((resolve, reject) => {
      const options = { port, path: '/v1/status', agent, localAddress: GUESSER_ADDRESS };
      const headers = { authorization: `Bearer ${token()}` };
      const asked = request({ ...options, host: '127.0.0.1', headers }, (response) => {
        response.resume().once('end', () => resolve(response.statusCode ?? 0));
      });
      asked.once('error', reject).end();
    });
    answers.set(status, (answers.get(status) ?? 0) + 1);
  }
  agent.destroy();
  return answers;
}

test('ten thousand wrong tokens let nobody in, keep nobody out, and are few events that count them all', async () => {
  const directory = tempDir();
  const backend = await startBackend('b1');
  const secret = randomBytes(16).toString('hex');
  const running = await UsherProcess.start({
    directory: path.join(directory.path, 'home'),
    config: `pools: { web: { health: { type: none }, backends: [{ id: b1, url: "${backend.url}" }] } }
routes: [{ path: "/*", pool: web }]
`,
    adminKeys: `tokens: [{ name: ops, secret: ${secret}, role: admin }]`,
  });
  try {
    await running.eligible('b1');
    const load = new Load([running.traffic], { connections: 2 });
    // Each differs from the right one in one place, so that whoever compares letter by letter would be slower the later.
    const nearly = () => {
      const at = Math.floor(Math.random() * secret.length);
      return `${secret.slice(0, at)}x${secret.slice(at + 1)}`;
    };
    const guessers = Array.from({ length: GUESSERS }, () =>
      guess(running.ports.admin, WRONG_TOKENS / GUESSERS, nearly),
    );
    const flood = Promise.all(guessers);
    const over = new AbortController();
    void flood.finally(() => over.abort());
    const headers = { authorization: `Bearer ${secret}` };
    const operator: number[] = [];
    while (!over.signal.aborted) {
      const answer = await fetch(`${running.admin}/v1/status`, { headers });
      await answer.arrayBuffer();
      operator.push(answer.status);
    }
    const answers = new Map<number, number>();
    for (const each of await flood)
      for (const [status, count] of each) answers.set(status, (answers.get(status) ?? 0) + count);
    expect(new Set(answers.keys())).toEqual(new Set([401, 429]));
    expect([...answers.values()].reduce((sum, count) => sum + count)).toBe(WRONG_TOKENS);
    expect(operator.length).toBeGreaterThan(0);
    expect(new Set(operator)).toEqual(new Set([200]));
    expect((await load.stop()).failures).toEqual([]);
    const events = await until(
      'all of them are told',
      async () => {
        const found = await refusals(running);
        const told = found.reduce((sum, { count }) => sum + count, 0);
        return told === WRONG_TOKENS && found;
      },
      90_000,
    );
    expect(events.length).toBeLessThan(10);
    const kinds = events.flatMap(({ refusals: list }) => list);
    expect(new Set(kinds.map(({ cause }) => cause))).toEqual(new Set(['wrong_token', 'rate']));
    expect(new Set(kinds.map(({ address }) => address))).toEqual(new Set([GUESSER_ADDRESS]));
  } finally {
    await running.kill9();
    await backend.stop();
    directory.remove();
  }
});

interface Refusals {
  readonly count: number;
  readonly refusals: readonly { readonly cause: string; readonly address: string }[];
}

async function refusals(running: UsherProcess): Promise<readonly Refusals[]> {
  const { stdout } = await running.run('events', '--json', '--after', '0');
  return stdout
    .split('\n')
    .filter((line) => line.includes('"admin.refused"'))
    .flatMap((line) => refusalsIn(JSON.parse(line)));
}

/** A line is one event, or a record of several. */
function refusalsIn(line: unknown): Refusals[] {
  const { type, data, events } = line as { type?: string; data?: Refusals; events?: readonly unknown[] };
  if (type === 'admin.refused' && data !== undefined) return [data];
  return events?.flatMap(refusalsIn) ?? [];
}
