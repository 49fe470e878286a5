import type { Clock, ClockReading } from '@usher/ports';
import { Redis } from 'ioredis';
import { valueKey } from './keys.ts';
import { unfitPolicy } from './memory-policy.ts';

const ANSWER_MS_MAX = 2000;
/** How long the key lives with which writing is tried. */
const TRIAL_MS = 1;

export interface RedisExamination {
  readonly version: string;
  readonly clock: ClockReading;
  /** 0 = not limited. */
  readonly memoryBytesMax: number;
  readonly memoryBytesUsed: number;
  /** How it makes room for sessions where that may take what must not go; undefined = as it should. */
  readonly unfitPolicy: string | undefined;
  /** Whether what it has is still there after a restart. */
  readonly keepsAll: boolean;
  /** What it cannot write to its disk; empty when all is well. */
  readonly failing: readonly string[];
  readonly replica: boolean;
  /** What is not allowed or does not work, such as `SET: NOPERM …`. */
  readonly refused: readonly string[];
}

/** Looks at a Redis server as the state store would use it. Throws when it cannot be reached or refuses the password. */
export async function examineRedis(url: string, clock: Clock): Promise<RedisExamination> {
  const redis = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: ANSWER_MS_MAX,
    commandTimeout: ANSWER_MS_MAX,
  });
  let cause: Error | undefined;
  redis.on('error', (error: Error) => {
    cause = error;
  });
  try {
    await redis.connect();
    const askedMs = clock.now();
    const [seconds, micros] = await redis.time();
    const answeredMs = clock.now();
    const theirMs = Number(seconds) * 1000 + Number(micros) / 1000;
    const refused = await tryCommands(redis);
    return { ...factsOf(await redis.info()), clock: { askedMs, theirMs, answeredMs }, refused };
  } catch (error) {
    // The client only says that the connection was closed; why, it says to its listeners.
    throw cause ?? error;
  } finally {
    redis.disconnect();
  }
}

/** What the store does; nothing is left of it. */
async function tryCommands(redis: Redis): Promise<string[]> {
  const key = valueKey('examination');
  const trials: Readonly<Record<string, () => Promise<unknown>>> = {
    SET: () => redis.set(key, '', 'PX', TRIAL_MS),
    GET: () => redis.get(key),
    DEL: () => redis.del(key),
    EVAL: () => redis.eval('return 1', 1, key),
    'SCRIPT LOAD': () => redis.script('LOAD', 'return 1'),
  };
  const refused: string[] = [];
  for (const [command, attempt] of Object.entries(trials)) {
    await attempt().catch((error: Error) => refused.push(`${command}: ${error.message}`));
  }
  return refused;
}

function factsOf(info: string): Omit<RedisExamination, 'clock' | 'refused'> {
  const fields = new Map(
    info.split('\r\n').map((line) => {
      const [name = '', value = ''] = line.split(/:(.*)/s);
      return [name, value] as const;
    }),
  );
  const failing = [
    ...(fields.get('rdb_last_bgsave_status') === 'err' ? ['its last snapshot'] : []),
    ...(fields.get('aof_last_write_status') === 'err' ? ['its append-only file'] : []),
  ];
  return {
    version: fields.get('redis_version') ?? 'unknown',
    memoryBytesMax: Number(fields.get('maxmemory') ?? 0),
    memoryBytesUsed: Number(fields.get('used_memory') ?? 0),
    unfitPolicy: unfitPolicy(info),
    keepsAll: fields.get('aof_enabled') === '1',
    failing,
    replica: fields.get('role') === 'slave',
  };
}
