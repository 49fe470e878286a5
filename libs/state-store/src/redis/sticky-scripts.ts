import { script } from './run-script.ts';

/**
 * Sticky assignments in one step each. The key of each is its own: `<end in ms> <idle in ms> <backend>`, and Redis drops
 * it when it expires. The time is the server's.
 */
const PRELUDE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function read()
  local entry = redis.call('GET', KEYS[1])
  if not entry then return nil end
  local ends, idle, backend = string.match(entry, '^(%d+) (%d+) (.+)$')
  return backend, tonumber(ends), tonumber(idle)
end
local function use(ends, idle)
  redis.call('PEXPIRE', KEYS[1], math.max(1, math.min(ends - now, idle)))
end
local function write(backend, ttl, idle)
  local entry = string.format('%.0f %.0f %s', now + ttl, idle, backend)
  redis.call('SET', KEYS[1], entry, 'PX', math.min(ttl, idle))
  return backend
end`;

/** KEYS: the assignment. Answers with its backend, if any. */
export const GET_STICKY = script(`${PRELUDE}
local backend, ends, idle = read()
if backend then use(ends, idle) end
return backend`);

/** KEYS: the assignment. ARGV: backend, ttl and idle in ms. Answers with the backend afterwards. */
export const ASSIGN_STICKY = script(`${PRELUDE}
local backend, ends, idle = read()
if not backend then return write(ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])) end
use(ends, idle)
return backend`);

/** KEYS: the assignment. ARGV: from, backend, ttl and idle in ms. Answers with the backend afterwards, if any. */
export const MOVE_STICKY = script(`${PRELUDE}
local backend = read()
if backend ~= ARGV[1] then return backend end
return write(ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]))`);

/** KEYS: the assignment. ARGV: backend. Answers 1 if it was to that. */
export const CLEAR_STICKY = script(`${PRELUDE}
if read() ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`);

export const STICKY_SCRIPTS = [GET_STICKY, ASSIGN_STICKY, MOVE_STICKY, CLEAR_STICKY] as const;
