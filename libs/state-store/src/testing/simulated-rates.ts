import type { Clock, RateBuckets } from '@usher/ports';
import { Redis } from 'ioredis';
import { RedisRates } from '../redis/redis-rates.ts';
import type { RunScript } from '../redis/run-script.ts';

/** How long an answer takes. */
const LATENCY_MS = 2;

/** Has a script go by the time that it is given last. Then keys do not expire either: that is the server's time. */
const SIMULATED_TIME = `
local server, now = redis, tonumber(ARGV[#ARGV])
local redis = { call = function(name, ...)
  if name == 'TIME' then return { math.floor(now / 1000000), now % 1000000 } end
  if name == 'SET' then return server.call(name, (select(1, ...)), (select(2, ...))) end
  return server.call(name, ...)
end }
`;

/** Rate limits on a real Redis server that goes by a simulated clock and answers a little late, by several connections. */
export class SimulatedRedisRates {
  readonly connections: readonly RateBuckets[];
  readonly #redis: readonly Redis[];
  readonly #clock: Clock;
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(url: string, clock: Clock, connections: number) {
    this.#clock = clock;
    this.#redis = Array.from({ length: connections }, () => new Redis(url));
    this.connections = this.#redis.map((redis) => new RedisRates(this.#runOn(redis)));
  }

  /** Resolves when the server has answered everything. */
  async answered(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  close(): void {
    for (const redis of this.#redis) redis.disconnect();
  }

  #runOn(redis: Redis): RunScript {
    return async ({ source }, keys, args) => {
      await new Promise<void>((resolve) => this.#clock.after(LATENCY_MS, resolve));
      const nowUs = this.#clock.now() * 1_000;
      const answer = redis.eval(SIMULATED_TIME + source, keys.length, ...keys, ...args, nowUs);
      this.#underWay.add(answer);
      return await answer.finally(() => this.#underWay.delete(answer));
    };
  }
}
