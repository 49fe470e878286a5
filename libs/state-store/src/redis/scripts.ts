/**
 * What must happen in one step on the Redis server. Each script touches exactly one key, so it runs on Redis Cluster
 * too, and takes the time from the server, so that gateways' clocks need not agree.
 *
 * All leases are fields of one hash, `<expiry in ms> <owner>` each. A key per lease would need a SCAN over the whole
 * key space, sticky assignments included, to answer who is alive, and on a cluster would see one node only.
 */

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function parse(entry)
  local space = string.find(entry, ' ', 1, true)
  return tonumber(string.sub(entry, 1, space - 1)), string.sub(entry, space + 1)
end`;

/** KEYS: leases. ARGV: name, owner, ttl in ms. Answers with the owner afterwards. */
export const ACQUIRE_LEASE = `${NOW}
local entry = redis.call('HGET', KEYS[1], ARGV[1])
if entry then
  local expires, owner = parse(entry)
  if expires > now and owner ~= ARGV[2] then return owner end
end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f %s', now + ARGV[3], ARGV[2]))
return ARGV[2]`;

/** KEYS: leases. ARGV: name, owner. Answers 1 if the owner had it. */
export const RELEASE_LEASE = `${NOW}
local entry = redis.call('HGET', KEYS[1], ARGV[1])
if not entry then return 0 end
local expires, owner = parse(entry)
if owner ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
return expires > now and 1 or 0`;

/** KEYS: leases. ARGV: prefix. Answers with name, owner, name, owner, …; drops what has expired. */
export const LIST_LEASES = `${NOW}
local entries, found = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #entries, 2 do
  local expires, owner = parse(entries[i + 1])
  if expires <= now then
    redis.call('HDEL', KEYS[1], entries[i])
  elseif string.sub(entries[i], 1, #ARGV[1]) == ARGV[1] then
    found[#found + 1] = entries[i]
    found[#found + 1] = owner
  end
end
return found`;

/** KEYS: the value's. ARGV: value, ttl in ms. Answers with the value that is there afterwards. */
export const SET_IF_ABSENT = `
local present = redis.call('GET', KEYS[1])
if present then return present end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]`;
