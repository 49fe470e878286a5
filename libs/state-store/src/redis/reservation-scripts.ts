import { ROUNDS_IN_NEED, SWEPT_A_ROUND, SWEPT_IN_PASSING } from '../sweep-limits.ts';
import { script } from './run-script.ts';

/**
 * What reservations do in one step on the Redis server. All keys of a pool have its name as their hash tag and every
 * script declares all of them, so a pool is on one node of a Redis Cluster. Amounts are whole numbers, written out in
 * full, because Redis would write large ones with an exponent. What was given back is told as allocation, backend, step,
 * allocation, …
 *
 * | key | type | content |
 * | --- | --- | --- |
 * | `use` | hash | backend: the five amounts and how many allocations |
 * | `res` | hash | allocation: backend, owner, the five amounts, the step in which it became the owner's, session |
 * | `exp` | sorted set | allocation by expiry; whoever removes one from here gives it back |
 * | `own` | sorted set | gateway by the end of its lease |
 * | `byo` | sorted set | gateway, space, allocation; in the order of their names |
 * | `ses` | hash | tier and session: allocation |
 * | `meta` | hash | `run` of the server that the pool's run is in, `since` when, when it `opens`, the last `step`, each gateway's last restore (`restored`, space, gateway) |
 */
export const RESERVATION_KEYS = ['use', 'res', 'exp', 'own', 'byo', 'ses', 'meta'] as const;

const PRELUDE = `
local USE, RES, EXP, OWN, BYO, SES, META = unpack(KEYS)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function used(backend)
  local text = redis.call('HGET', USE, backend)
  if not text then return 0, 0, 0, 0, 0, 0 end
  local a, b, c, d, e, n = string.match(text, '^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+)$')
  return tonumber(a), tonumber(b), tonumber(c), tonumber(d), tonumber(e), tonumber(n)
end
local function set_used(backend, a, b, c, d, e, n)
  if n == 0 then
    redis.call('HDEL', USE, backend)
  else
    redis.call('HSET', USE, backend, string.format('%.0f %.0f %.0f %.0f %.0f %.0f', a, b, c, d, e, n))
  end
end
local function parse(record)
  return string.match(record, '^(%S+) (%S+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (.*)$')
end
local function next_step() return redis.call('HINCRBY', META, 'step', 1) end
local function since() return redis.call('HGET', META, 'since') or '0' end
local function give_back(id)
  if redis.call('ZREM', EXP, id) == 0 then return false end
  local record = redis.call('HGET', RES, id)
  redis.call('HDEL', RES, id)
  local backend, owner, a, b, c, d, e, _, session = parse(record)
  redis.call('ZREM', BYO, owner .. ' ' .. id)
  if session ~= '' and redis.call('HGET', SES, session) == id then redis.call('HDEL', SES, session) end
  local ua, ub, uc, ud, ue, un = used(backend)
  set_used(backend, ua - a, ub - b, uc - c, ud - d, ue - e, un - 1)
  return backend, next_step()
end
local function give_back_to(given, id)
  local backend, step = give_back(id)
  if not backend then return false end
  local n = #given
  given[n + 1], given[n + 2], given[n + 3] = id, backend, step
  return true
end
local function owned_by(owner, max)
  return redis.call('ZRANGEBYLEX', BYO, '[' .. owner .. ' ', '(' .. owner .. '!', 'LIMIT', 0, max)
end
local function sweep(max, given)
  local left = max
  local function take(id)
    if give_back_to(given, id) then left = left - 1 end
  end
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', EXP, '-inf', now, 'LIMIT', 0, max)) do take(id) end
  while left > 0 do
    local owner = redis.call('ZRANGEBYSCORE', OWN, '-inf', now, 'LIMIT', 0, 1)[1]
    if not owner then break end
    redis.call('HDEL', META, 'restored ' .. owner)
    for _, member in ipairs(owned_by(owner, left)) do take(string.sub(member, #owner + 2)) end
    if left > 0 then redis.call('ZREM', OWN, owner) end
  end
  return max - left
end
local function hold(id, backend, owner, expires, a, b, c, d, e, session)
  local ua, ub, uc, ud, ue, un = used(backend)
  set_used(backend, ua + a, ub + b, uc + c, ud + d, ue + e, un + 1)
  local step = next_step()
  local record = string.format('%s %s %.0f %.0f %.0f %.0f %.0f %.0f ', backend, owner, a, b, c, d, e, step)
  redis.call('HSET', RES, id, record .. session)
  redis.call('ZADD', EXP, expires, id)
  redis.call('ZADD', BYO, 0, owner .. ' ' .. id)
  if session ~= '' then redis.call('HSETNX', SES, session, id) end
  return step
end
local function number(value) return string.format('%.0f', value) end
`;

/**
 * ARGV: run, allocation, owner, its last restore, lease and ttl in ms, session, five amounts, then for each candidate its
 * backend, the five amounts of its capacity and its largest number of allocations in one text. Answers with the outcome,
 * and what belongs to it.
 */
export const RESERVE = script(`${PRELUDE}
local run, id, owner, told, lease, ttl, session = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local a, b, c, d, e = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
local meta = redis.call('HMGET', META, 'run', 'opens', 'since', 'restored ' .. owner)
if meta[1] ~= run or meta[4] ~= told then return {'unknown'} end
if tonumber(meta[2]) > now then return {'restoring', tonumber(meta[2]) - now} end
-- A lease with more than half of its time left is left as it is, which spares a write for most reservations.
local until_ms = redis.call('ZSCORE', OWN, owner)
if not until_ms or tonumber(until_ms) < now + lease / 2 then redis.call('ZADD', OWN, now + lease, owner) end
local expires = now + ttl
local function keep(held, record)
  local backend, before, ra, rb, rc, rd, re, step, rs = parse(record)
  expires = math.max(expires, tonumber(redis.call('ZSCORE', EXP, held)))
  redis.call('ZADD', EXP, expires, held)
  if before ~= owner then
    step = next_step()
    redis.call('ZREM', BYO, before .. ' ' .. held)
    redis.call('ZADD', BYO, 0, owner .. ' ' .. held)
    redis.call('HSET', RES, held, string.format('%s %s %s %s %s %s %s %.0f %s', backend, owner, ra, rb, rc, rd, re, step, rs))
  end
  return {'known', held, backend, number(expires), meta[3], tonumber(step), table.concat({ra, rb, rc, rd, re}, ' ')}
end
local record = redis.call('HGET', RES, id)
if record then return keep(id, record) end
local earlier
if session ~= '' then
  earlier = redis.call('HGET', SES, session)
  record = earlier and redis.call('HGET', RES, earlier)
  if record then
    local at = parse(record) .. ' '
    for i = 13, #ARGV do
      if string.sub(ARGV[i], 1, #at) == at then return keep(earlier, record) end
    end
  end
end
local given, short = {}, {}
local function place()
  for i = 13, #ARGV do
    local backend, ca, cb, cc, cd, ce, max = string.match(ARGV[i], '^(%S+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+)$')
    local ua, ub, uc, ud, ue, un = used(backend)
    max = tonumber(max)
    local why
    if a > 0 and ua + a > tonumber(ca) then why = 0
    elseif b > 0 and ub + b > tonumber(cb) then why = 1
    elseif c > 0 and uc + c > tonumber(cc) then why = 2
    elseif d > 0 and ud + d > tonumber(cd) then why = 3
    elseif e > 0 and ue + e > tonumber(ce) then why = 4
    elseif max > 0 and un >= max then why = 5
    else return backend end
    short[i - 12] = why
  end
end
sweep(${SWEPT_IN_PASSING}, given)
local backend = place()
for _ = 1, ${ROUNDS_IN_NEED} do
  if backend or sweep(${SWEPT_A_ROUND}, given) == 0 then break end
  backend = place()
end
if not backend then return {'full', meta[3], short, given} end
local moved = {}
if earlier then give_back_to(moved, earlier) end
local step = hold(id, backend, owner, expires, a, b, c, d, e, session)
return {'reserved', id, backend, number(expires), meta[3], step, given, moved}`);

/** ARGV: owner, then allocations. Answers with when the run began and what was given back. */
export const RELEASE = script(`${PRELUDE}
local given = {}
for i = 2, #ARGV do
  local record = redis.call('HGET', RES, ARGV[i])
  if record then
    local _, owner = parse(record)
    if owner == ARGV[1] then give_back_to(given, ARGV[i]) end
  end
end
return {since(), given}`);

/**
 * ARGV: run, owner, its last restore, lease and ttl in ms, then allocations. Answers with those that are not there, nothing
 * if the owner is unknown.
 */
export const RENEW = script(`${PRELUDE}
local meta = redis.call('HMGET', META, 'run', 'restored ' .. ARGV[2])
if meta[1] ~= ARGV[1] or meta[2] ~= ARGV[3] then return false end
redis.call('ZADD', OWN, now + ARGV[4], ARGV[2])
local missing = {}
local expires = now + ARGV[5]
for i = 6, #ARGV do
  local score = redis.call('ZSCORE', EXP, ARGV[i])
  if not score then missing[#missing + 1] = ARGV[i]
  elseif tonumber(score) < expires then redis.call('ZADD', EXP, expires, ARGV[i]) end
end
return missing`);

/**
 * ARGV: run, owner, this restore and the one it follows, lease in ms, how many gateways, their names, how many allocations
 * are under way, their ids, then for each allocation its id, backend, ttl in ms, five amounts and session in one text.
 * Answers with how long until the pool opens, when its run began, what was added and what was given back; or, with nothing
 * done, 'late' and the owner's last restore.
 */
export const RESTORE = script(`${PRELUDE}
local run, owner, told, after, lease = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
if redis.call('HGET', META, 'run') ~= run then
  redis.call('DEL', unpack(KEYS))
  redis.call('HSET', META, 'run', run, 'since', number(now), 'opens', number(now + lease))
end
local last = redis.call('HGET', META, 'restored ' .. owner)
if last and last ~= after then return {'late', last} end
redis.call('HSET', META, 'restored ' .. owner, told)
redis.call('ZADD', OWN, now + lease, owner)
local at = 6
local function block()
  local from = at + 1
  at = from + ARGV[at]
  return from, at - 1
end
local all_restored = true
local from, to = block()
for i = from, to do
  if redis.call('HEXISTS', META, 'restored ' .. ARGV[i]) == 0 then all_restored = false end
end
local wanted, mine = {}, {}
from, to = block()
for i = from, to do wanted[ARGV[i]] = true end
for i = at, #ARGV do
  local id, rest = string.match(ARGV[i], '^(%S+) (.*)$')
  wanted[id] = true
  mine[#mine + 1] = {id, rest}
end
local given, added = {}, {}
for _, member in ipairs(owned_by(owner, -1)) do
  local id = string.sub(member, #owner + 2)
  if not wanted[id] then give_back_to(given, id) end
end
for _, one in ipairs(mine) do
  if redis.call('HEXISTS', RES, one[1]) == 0 then
    local backend, ttl, a, b, c, d, e, session =
      string.match(one[2], '^(%S+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (.*)$')
    added[#added + 1] = one[1]
    added[#added + 1] = hold(one[1], backend, owner, now + ttl, a, b, c, d, e, session)
  end
end
local opens = tonumber(redis.call('HGET', META, 'opens'))
if all_restored and opens > now then
  opens = now
  redis.call('HSET', META, 'opens', number(now))
end
return {opens - now, since(), added, given}`);

/** ARGV: largest number. Answers with when the run began and what was given back. */
export const SWEEP = script(`${PRELUDE}
local given = {}
sweep(tonumber(ARGV[1]), given)
return {since(), given}`);

/** Answers with allocation, record, …, then allocation, expiry, …, then backend, use, … */
export const LIST = script(`
return {redis.call('HGETALL', KEYS[2]), redis.call('ZRANGE', KEYS[3], 0, -1, 'WITHSCORES'), redis.call('HGETALL', KEYS[1])}`);

export const RESERVATION_SCRIPTS = [RESERVE, RELEASE, RENEW, RESTORE, SWEEP, LIST] as const;
