-- Applies commands of one partition in the order of their offsets. What stands below the stored offset changes nothing and
-- answers as it did the first time, so that side effects can be repeated after a crash.
-- KEYS marker, pending, ended, log, then per command: task, record
-- ARGV epoch, partition, next offset, retention ms, then per command: offset, T|W|U, id, append time, T and W: expiry, hash, bytes
-- W: a task that is done when sent; its record says so by '=w', so that no receipt gives another verdict
-- -> OK, one letter a command: a added, p past, s same, c conflict, r removed, n nothing; and the expiry of each, '' if unknown
--
-- A replay meets tasks that are forgotten by now, and behind them copies that did nothing because the task was still known.
-- So that these do nothing again, such a task leaves a trace for the time of a replay: '=g' = 'forgotten-at hash offset'.
local refused, version = rebuild()
if refused then return refused end
local now, field, retention = clock(), 'c:' .. ARGV[2], int(ARGV[4])
local done = int(redis.call('HGET', KEYS[1], field) or '0')
local changes, outcomes, expiries = {}, {}, {}
local TRACE_MS = 3600000

local function ms(n) return string.format('%.0f', n) end

local function repeated(offset, is)
  if is.made == offset then return 'a' end
  if is.made and offset < is.made then return 'p' end -- its own record is gone; the id was used anew since
  if is.state == 'r' and is.removed and is.removed < offset then return 'c' end
  return nil
end

-- Of a forgotten task, to one that was appended while it was still known. nil: it counts for itself.
local function traced(trace, offset, appended, hash)
  local gone, was, made = string.match(trace or '', '^(%d+) (%S+) (%d+)$')
  if not gone or int(made) >= offset or int(gone) <= appended then return nil end
  return was == hash and 's' or 'c'
end

local function task(offset, keys, id, appended, expiry, hash, bytes, doneWhenSent)
  local f = redis.call('HMGET', keys.record, '=s', '=o', '=r', '=c', '=e', '=g')
  local is = {state = f[1], made = f[2] and int(f[2]), removed = f[3] and int(f[3])}
  if f[4] then return repeated(offset, is) or (f[4] == hash and 's' or 'c') end
  local gone = expiry + retention
  local word = traced(f[6], offset, appended, hash)
  if word then return word end
  if gone <= now and gone > appended and offset >= done then
    redis.call('HSET', keys.record, '=g', ms(gone) .. ' ' .. hash .. ' ' .. ms(offset))
    redis.call('PEXPIRE', keys.record, TRACE_MS)
  end
  if offset < done or gone <= now then return 'p' end
  local early = f[5] and int(f[5]) -- its TASK_EXPIRED was replayed before it
  redis.call('HSET', keys.record, '=s', early and 'e' or 'p', '=x', ms(expiry), '=o', offset, '=c', hash, '=d', bytes)
  if doneWhenSent then redis.call('HSET', keys.record, '=w', '1') end
  redis.call('HDEL', keys.record, '=g')
  redis.call('PEXPIREAT', keys.record, ms(gone))
  if early then
    redis.call('ZADD', KEYS[3], ms(gone), id)
  else
    if expiry > now then redis.call('SET', keys.task, bytes, 'PXAT', ms(expiry)) end
    redis.call('ZADD', KEYS[2], ms(expiry), id)
    changes[#changes + 1] = '+' .. id
  end
  return 'a'
end

local function untask(offset, keys, id, appended)
  local f = redis.call('HMGET', keys.record, '=s', '=x', '=r', '=c', '=g')
  if f[1] == 'r' and f[3] and int(f[3]) == offset then return 'r', f[2] end
  local gone, rest = string.match(f[5] or '', '^(%d+)( .+)$')
  if gone and int(gone) > appended + retention then redis.call('HSET', keys.record, '=g', ms(appended + retention) .. rest) end
  if offset < done or not f[4] or f[1] == 'r' or int(f[2]) <= appended then return 'n' end
  redis.call('HSET', keys.record, '=s', 'r', '=e', ms(appended), '=r', offset)
  redis.call('PEXPIREAT', keys.record, ms(appended + retention))
  redis.call('DEL', keys.task)
  redis.call('ZREM', KEYS[2], id)
  redis.call('ZADD', KEYS[3], ms(appended + retention), id)
  changes[#changes + 1] = '-' .. id
  return 'r', f[2]
end

local k = 5
for a = 5, #ARGV, 7 do
  local offset, id, keys = int(ARGV[a]), ARGV[a + 2], {task = KEYS[k], record = KEYS[k + 1]}
  k = k + 2
  if ARGV[a + 1] ~= 'U' then
    outcomes[#outcomes + 1] =
      task(offset, keys, id, int(ARGV[a + 3]), int(ARGV[a + 4]), ARGV[a + 5], ARGV[a + 6], ARGV[a + 1] == 'W')
    expiries[#expiries + 1] = ARGV[a + 4]
  else
    local outcome, expiry = untask(offset, keys, id, int(ARGV[a + 3]))
    outcomes[#outcomes + 1] = outcome
    expiries[#expiries + 1] = expiry or ''
  end
end
if #changes > 0 then
  redis.call('RPUSH', KEYS[4], unpack(changes))
  redis.call('LTRIM', KEYS[4], -1024, -1)
  redis.call('HINCRBY', KEYS[1], 'v', #changes)
end
if int(ARGV[3]) > done then redis.call('HSET', KEYS[1], field, ARGV[3]) end
return {'OK', table.concat(outcomes), expiries}
