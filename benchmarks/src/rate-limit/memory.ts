import { once } from 'node:events';
import { connect } from 'node:net';
import type { RateLimitSettings } from '@usher/domain';
import { openEmbeddedStore, openRedisStore } from '@usher/state-store';
import { RecordingLog, startRedisServer, wallClock } from '@usher/testing';
import { RATE_BYTES } from '../../../services/gateway/src/rate/rate-cells.ts';
import { usedBytes } from '../measure.ts';
import { Bench } from './cost.ts';

const MIB = 2 ** 20;
const REDIS_BUCKETS = 100_000;
const AT_A_TIME = 1_000;
/** So slow that no bucket is full again meanwhile. */
const SLOW: RateLimitSettings = { by: 'ip', scope: 'local', requests: 10, perMs: 86_400_000, burst: 10 };
const BUCKET = { intervalMs: SLOW.perMs / SLOW.requests, burst: SLOW.burst };
const HEAVY = 1_000;

const addressOf = (number: number) =>
  `${(number >> 24) & 255}.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;

/** What a gateway takes while ever new addresses come, and how many of those who have used up their limit get out of it by that. */
export function gatewayMemory(addresses: number): void {
  const before = process.memoryUsage.rss();
  const bench = new Bench(SLOW);
  const nowMs = Date.now();
  const heavy = Array.from({ length: HEAVY }, (_, number) => `heavy-${number}`);
  for (const each of heavy) for (let times = 0; times < SLOW.burst; times++) bench.request(each, nowMs);
  for (let number = 0; number < addresses; number++) bench.request(addressOf(number), nowMs);
  const escaped = heavy.filter((each) => !bench.request(each, nowMs).includes(';r=0;')).length;
  const grown = (process.memoryUsage.rss() - before) / MIB;
  console.log(
    `a gateway: ${(RATE_BYTES / MIB).toFixed(1)} MiB shared by its workers, ${grown.toFixed(1)} MiB more resident after ${addresses.toLocaleString('en')} addresses; of ${HEAVY} at their limit ${escaped} were forgotten`,
  );
}

export async function storeMemory(addresses: number): Promise<void> {
  const before = usedBytes();
  const store = openEmbeddedStore({ clock: wallClock });
  for (let number = 0; number < addresses; number++)
    await store.rates.take({ id: `all/ip/${number}`, ...BUCKET }, 1);
  const used = (usedBytes() - before) / MIB;
  console.log(`the embedded store: ${used.toFixed(1)} MiB after ${addresses.toLocaleString('en')} addresses`);
  await store.close();
}

/** Bytes of each bucket that is not full. */
export async function redisMemory(): Promise<void> {
  const server = await startRedisServer();
  const store = await openRedisStore({ url: server.url, clock: wallClock, log: new RecordingLog() });
  try {
    const before = await redisBytes(server.url);
    for (let from = 0; from < REDIS_BUCKETS; from += AT_A_TIME) {
      const asked = Array.from({ length: AT_A_TIME }, (_, each) => ({
        id: `all/ip/0123456789abcdefghijk${from + each}`,
        ...BUCKET,
      }));
      await Promise.all(asked.map((bucket) => store.rates.take(bucket, 1)));
    }
    const each = ((await redisBytes(server.url)) - before) / REDIS_BUCKETS;
    console.log(`Redis: ${each.toFixed(0)} bytes for each bucket that is not full`);
  } finally {
    await store.close();
    await server.stop();
  }
}

async function redisBytes(url: string): Promise<number> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write('INFO memory\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return Number(/used_memory:(\d+)/.exec(answer.toString())?.[1]);
}
