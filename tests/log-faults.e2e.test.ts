import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type NatsServer, startNatsServer, startRedisServer, tempDir } from '@usher/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Backend, startBackend } from './support/backend.ts';
import { bodies } from './support/load.ts';
import { type Status, UsherProcess } from './support/usher-process.ts';
import { until } from './support/wait.ts';

const LIMIT_MS = 90_000;

let directory: ReturnType<typeof tempDir>;
let backend: Backend;
let closing: (() => Promise<unknown>)[];

beforeEach(async () => {
  directory = tempDir();
  backend = await startBackend('b1');
  closing = [() => backend.stop()];
});

afterEach(async () => {
  for (const close of closing.toReversed()) await close();
  directory.remove();
});

async function startUsher(more = ''): Promise<UsherProcess> {
  const config = `${more}pools:
  web: { health: { type: none }, backends: [{ id: b1, url: "${backend.url}" }] }
routes: [{ path: "/*", pool: web }]
`;
  const usher = await UsherProcess.start({ directory: directory.path, config });
  closing.push(() => usher.kill9());
  await usher.eligible('b1');
  return usher;
}

async function weightOf(usher: UsherProcess): Promise<number | undefined> {
  const rows = await usher.json<readonly { id: string; weight: number }[]>('backends');
  return rows.find(({ id }) => id === 'b1')?.weight;
}

async function setWeight(usher: UsherProcess, weight: number): Promise<void> {
  const answer = await usher.run('weight', 'b1', String(weight));
  expect(answer, answer.stderr).toMatchObject({ code: 0 });
}

function segmentOf(usher: UsherProcess): string {
  const segments = path.join(usher.dataDirectory, 'segments');
  return path.join(segments, readdirSync(segments).toSorted().at(-1) ?? '');
}

test(
  'a log that was cut below its snapshot is what counts, and commands change the state that is shown',
  async () => {
    const usher = await startUsher();
    for (let weight = 1; weight <= 5; weight++) await setWeight(usher, weight * 10);
    await usher.stop();
    const lines = readFileSync(segmentOf(usher), 'utf8').split('\n');
    writeFileSync(segmentOf(usher), `${lines.slice(0, 6).join('\n')}\n`);
    await usher.start();
    await until('a leader', async () => (await usher.run('weight', 'b1', '99')).code === 0);
    expect(await weightOf(usher)).toBe(99);
    const { position, digest } = await usher.status();
    expect(await usher.replayedDigest(position)).toBe(digest);
    // What was there before the cut must not come back once the log has grown beyond it.
    for (let weight = 1; weight <= 9; weight++) await setWeight(usher, weight);
    await usher.kill9();
    await usher.start();
    expect(await weightOf(usher)).toBe(9);
    const later = await usher.status();
    expect(await usher.replayedDigest(later.position)).toBe(later.digest);
  },
  LIMIT_MS,
);

test(
  'a segment that is missing is told in the status, and by replay --verify with exit code 1',
  async () => {
    const usher = await startUsher();
    await setWeight(usher, 7);
    expect((await usher.run('replay', '--verify')).code).toBe(0);
    await usher.stop();
    const lines = readFileSync(segmentOf(usher), 'utf8').split('\n');
    writeFileSync(segmentOf(usher), lines.toSpliced(2, 1).join('\n'));
    await usher.start();
    const { degraded } = await usher.status();
    expect(degraded.join()).toContain('1 record is damaged or missing');
    const verified = await usher.run('replay', '--verify');
    expect(verified.code).toBe(1);
    expect(verified.stderr).toContain('1 record is damaged or missing');
  },
  LIMIT_MS,
);

test(
  'when NATS has lost the log, commands are refused with what to do, traffic goes on, and a restart goes on anew',
  async () => {
    const nats: NatsServer = await startNatsServer();
    const redis = await startRedisServer();
    closing.push(
      () => nats.stop(),
      () => redis.stop(),
    );
    const usher = await startUsher(`bus: { servers: ["${nats.url}"] }\nstore: "${redis.url}"\n`);
    await setWeight(usher, 5);
    await nats.kill9();
    rmSync(nats.files, { recursive: true });
    await nats.restart();
    const status = await until('the loss is noticed', async () => {
      const found: Status = await usher.status();
      return found.degraded.some((sentence) => sentence.includes('no stream')) && found;
    });
    expect(status.degraded.join()).toContain('restore the stream from a backup, or restart');
    const refused = await usher.run('weight', 'b1', '6');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('log_replaced') });
    const health = await fetch(`http://127.0.0.1:${usher.ports.metrics}/health`);
    expect(health.status).toBe(200);
    expect(await health.json()).toMatchObject({ status: 'degraded' });
    expect(await bodies(usher.traffic, 4)).toEqual(['b1', 'b1', 'b1', 'b1']);

    await usher.stop();
    await usher.start();
    await until('commands are accepted', async () => (await usher.run('weight', 'b1', '6')).code === 0);
    expect(await weightOf(usher)).toBe(6);
    await until('nothing is wrong', async () => (await usher.status()).degraded.length === 0);
  },
  LIMIT_MS,
);
