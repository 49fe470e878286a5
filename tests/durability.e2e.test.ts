import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { tempDir } from '@usher/testing';
import { beforeAll, expect, test } from 'vitest';
import { type BackendRow, UsherProcess } from './support/usher-process.ts';
import { until } from './support/wait.ts';

const ROUNDS = 20;
const SENDERS = 8;

const directory = tempDir();
let usher: UsherProcess;
/** Backends whose registration was acknowledged. */
const acknowledged = new Set<string>();

beforeAll(async () => {
  const config = `pools:
  web: { health: { type: none } }
routes:
  - { path: "/*", pool: web }
`;
  usher = await UsherProcess.start({ directory: directory.path, config });
  return async () => {
    await usher.kill9();
    directory.remove();
  };
});

/** Registers a backend; true when that was acknowledged, false when the process died before it answered. */
async function register(id: string): Promise<boolean> {
  try {
    const response = await fetch(`${usher.admin}/v1/backends`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ id, pool: 'web', url: 'http://127.0.0.1:9', weight: 1 }),
    });
    const text = await response.text();
    if (response.ok) acknowledged.add(id);
    // Right after a start there may be no leader yet; that is an answer, and the command may be sent again.
    else if (response.status !== 503) throw new Error(`${response.status} ${text}`);
    return response.ok;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

async function knownBackends(): Promise<ReadonlySet<string>> {
  return new Set((await usher.json<readonly BackendRow[]>('backends')).map(({ id }) => id));
}

async function expectNothingLost(): Promise<void> {
  const known = await knownBackends();
  expect([...acknowledged].filter((id) => !known.has(id))).toEqual([]);
}

test(`every acknowledged command survives ${ROUNDS} times kill -9 while commands are sent`, async () => {
  for (let round = 1; round <= ROUNDS; round++) {
    const target = acknowledged.size + 3 + (round % 5);
    const life = new AbortController();
    const sender = async (number: number) => {
      for (let index = 0; !life.signal.aborted; index++) await register(`r${round}-s${number}-${index}`);
    };
    const senders = Array.from({ length: SENDERS }, (_, number) => sender(number));
    await until('some commands are acknowledged', () => acknowledged.size >= target);
    await usher.kill9();
    life.abort();
    await Promise.all(senders);
    await usher.start();
    await expectNothingLost();
  }
}, 240_000);

test('a record that was being written when the power went is dropped, and nothing else', async () => {
  await usher.kill9();
  const segments = path.join(usher.dataDirectory, 'segments');
  const newest = path.join(segments, readdirSync(segments).toSorted().at(-1) ?? '');
  const lines = readFileSync(newest, 'utf8').trimEnd().split('\n');
  const last = lines.at(-1) ?? '';
  appendFileSync(newest, last.slice(0, last.length / 2));
  await usher.start();
  await expectNothingLost();
  await until('commands are accepted again', () => register('after-the-torn-record'));
  await usher.kill9();
  await usher.start();
  await expectNothingLost();
});

test('the state is what the log alone gives, now and at an earlier position', async () => {
  const earlier = await usher.status();
  expect(await usher.replayedDigest(earlier.position)).toBe(earlier.digest);
  await until('one more backend is registered', () => register('one-more'));
  const later = await usher.status();
  expect(later.position).toBeGreaterThan(earlier.position);
  expect(later.digest).not.toBe(earlier.digest);
  expect(await usher.replayedDigest(later.position)).toBe(later.digest);
  expect(await usher.replayedDigest(earlier.position)).toBe(earlier.digest);
});

test('after an orderly stop the next start has the same state', async () => {
  await usher.stop();
  await usher.start();
  await expectNothingLost();
  const { position, digest } = await usher.status();
  expect(await usher.replayedDigest(position)).toBe(digest);
});
