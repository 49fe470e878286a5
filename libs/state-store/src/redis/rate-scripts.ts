import { script } from './run-script.ts';

/**
 * Buckets of rate limits in one step each: the key has the instant at which the bucket is full again, in microseconds, and
 * Redis drops it then. The time is the server's. The rules are those of `takeFrom` in the domain.
 */
const PRELUDE = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval = tonumber(ARGV[1])
local full = tonumber(redis.call('GET', KEYS[1]) or '0')
local function keep()
  if full <= now then return redis.call('DEL', KEYS[1]) end
  redis.call('SET', KEYS[1], string.format('%.2f', full), 'PX', math.ceil((full - now) / 1000))
end`;

/** KEYS: the bucket. ARGV: interval in µs, burst, wanted. Answers with what was taken, what is left, and µs until the next. */
export const TAKE_RATE = script(`${PRELUDE}
local burst = tonumber(ARGV[2])
if full < now then full = now end
local there = math.max(0, math.floor((now + burst * interval - full) / interval + 0.000001))
local taken = math.min(there, tonumber(ARGV[3]))
full = full + taken * interval
if taken > 0 then keep() end
return { taken, there - taken, math.ceil(math.max(0, full - now - (burst - 1) * interval)) }`);

/** KEYS: the bucket. ARGV: interval in µs, unused. */
export const GIVE_RATE = script(`${PRELUDE}
if full == 0 then return 0 end
full = full - ARGV[2] * interval
keep()
return 1`);

export const RATE_SCRIPTS = [TAKE_RATE, GIVE_RATE] as const;
