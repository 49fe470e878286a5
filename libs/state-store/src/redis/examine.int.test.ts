import { startRedisServer, wallClock } from '@usher/testing';
import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { examineRedis } from './examine.ts';

it('finds nothing wrong with a server as it should be and tells its time', async () => {
  const server = await startRedisServer({ keepsLog: true });
  const { clock, ...found } = await examineRedis(server.url, wallClock);
  expect(found).toMatchObject({
    memoryBytesMax: 0,
    unfitPolicy: undefined,
    keepsAll: true,
    failing: [],
    replica: false,
    refused: [],
  });
  expect(clock.theirMs).toBeGreaterThanOrEqual(clock.askedMs - 1);
  expect(clock.theirMs).toBeLessThanOrEqual(clock.answeredMs + 1);
  await server.stop();
});

it('tells a policy that forgets too much, what is refused, and why nothing answers', async () => {
  const settings = { maxmemory: '64mb', 'maxmemory-policy': 'allkeys-lru' };
  const server = await startRedisServer({ settings });
  const redis = new Redis(server.url);
  await redis.acl('SETUSER', 'few', 'on', 'nopass', '~*', '+@all', '-set', '-script');
  redis.disconnect();
  const url = server.url.replace('redis://', 'redis://few:any@');
  const found = await examineRedis(url, wallClock);
  expect(found).toMatchObject({
    memoryBytesMax: 64 * 1024 ** 2,
    unfitPolicy: 'allkeys-lru',
    keepsAll: false,
  });
  expect(found.refused.map((text) => text.split(':')[0])).toEqual(['SET', 'SCRIPT LOAD']);
  const stranger = server.url.replace('redis://', 'redis://nobody:wrong@');
  await expect(examineRedis(stranger, wallClock)).rejects.toThrow('WRONGPASS');
  await server.stop();
  await expect(examineRedis(server.url, wallClock)).rejects.toThrow('ECONNREFUSED');
});
