-- KEYS marker, pending, ended, log, then per command: task, record
-- ARGV epoch, partition, next offset, retention ms, then per command: offset, command letter, id, append time; of a task also: expiry, hash, bytes
-- -> OK, one outcome letter a command, and the expiry of each command's task, '' if unknown
--
-- Applies commands of one partition in the order of their offsets. A command below the stored offset changes nothing and gets
-- the same answer as the first time, so that side effects can be repeated after a crash.
--
-- A replay comes to tasks that are forgotten by now, and after them to copies that did nothing because the task was still
-- known. So that a copy does nothing again, a forgotten task leaves a trace for the duration of a replay:
-- FIELD_TRACE = 'forgotten-at hash offset'.
local _, partition, nextOffset, retention = unpack(ARGV, 1, 4)
local refused = rebuild()
if refused then return refused end
local now, field = clock(), MARKER_COMMAND_OFFSET .. partition
retention = int(retention)
local done = int(redis.call('HGET', KEYS[1], field) or '0')
local changes, outcomes, expiries = {}, {}, {}
local TRACE_MS = 3600000

local function repeated(offset, is)
  if is.made == offset then return OUTCOME_ADDED end
  if is.made and offset < is.made then return OUTCOME_PAST end -- its own record is gone; the id was used again since
  if is.state == TASK_REMOVED and is.removed and is.removed < offset then return OUTCOME_CONFLICT end
  return nil
end

-- The outcome of a copy that was appended while the forgotten task was still known; nil: it is no such copy.
local function traced(trace, offset, appended, hash)
  local gone, was, made = string.match(trace or '', '^(%d+) (%S+) (%d+)$')
  if not gone or int(made) >= offset or int(gone) <= appended then return nil end
  return was == hash and OUTCOME_SAME or OUTCOME_CONFLICT
end

local function task(offset, keys, id, appended, expiry, hash, bytes, doneWhenSent)
  local f = redis.call('HMGET', keys.record, FIELD_STATE, FIELD_OFFSET, FIELD_REMOVED_BY, FIELD_CONTENT_HASH, FIELD_ENDED_AT, FIELD_TRACE)
  local is = {state = f[1], made = f[2] and int(f[2]), removed = f[3] and int(f[3])}
  if f[4] then return repeated(offset, is) or (f[4] == hash and OUTCOME_SAME or OUTCOME_CONFLICT) end
  local gone = expiry + retention
  local outcome = traced(f[6], offset, appended, hash)
  if outcome then return outcome end
  if gone <= now and gone > appended and offset >= done then
    redis.call('HSET', keys.record, FIELD_TRACE, digits(gone) .. ' ' .. hash .. ' ' .. digits(offset))
    redis.call('PEXPIRE', keys.record, TRACE_MS)
  end
  if offset < done or gone <= now then return OUTCOME_PAST end
  local early = f[5] and int(f[5]) -- its TASK_EXPIRED was replayed before it
  redis.call('HSET', keys.record, FIELD_STATE, early and TASK_EXPIRED or TASK_PENDING, FIELD_EXPIRY, digits(expiry),
    FIELD_OFFSET, offset, FIELD_CONTENT_HASH, hash, FIELD_BYTES, bytes)
  if doneWhenSent then redis.call('HSET', keys.record, FIELD_DONE_WHEN_SENT, '1') end
  redis.call('HDEL', keys.record, FIELD_TRACE)
  redis.call('PEXPIREAT', keys.record, digits(gone))
  if early then
    redis.call('ZADD', KEYS[3], digits(gone), id)
  else
    if expiry > now then redis.call('SET', keys.task, bytes, 'PXAT', digits(expiry)) end
    redis.call('ZADD', KEYS[2], digits(expiry), id)
    changes[#changes + 1] = CHANGE_ADDED .. id
  end
  return OUTCOME_ADDED
end

local function untask(offset, keys, id, appended)
  local f = redis.call('HMGET', keys.record, FIELD_STATE, FIELD_EXPIRY, FIELD_REMOVED_BY, FIELD_CONTENT_HASH, FIELD_TRACE)
  if f[1] == TASK_REMOVED and f[3] and int(f[3]) == offset then return OUTCOME_REMOVED, f[2] end
  local gone, rest = string.match(f[5] or '', '^(%d+)( .+)$')
  if gone and int(gone) > appended + retention then redis.call('HSET', keys.record, FIELD_TRACE, digits(appended + retention) .. rest) end
  if offset < done or not f[4] or f[1] == TASK_REMOVED or int(f[2]) <= appended then return OUTCOME_NOTHING end
  redis.call('HSET', keys.record, FIELD_STATE, TASK_REMOVED, FIELD_ENDED_AT, digits(appended), FIELD_REMOVED_BY, offset)
  redis.call('PEXPIREAT', keys.record, digits(appended + retention))
  redis.call('DEL', keys.task)
  redis.call('ZREM', KEYS[2], id)
  redis.call('ZADD', KEYS[3], digits(appended + retention), id)
  changes[#changes + 1] = CHANGE_REMOVED .. id
  return OUTCOME_REMOVED, f[2]
end

local k = 5
for a = 5, #ARGV, 7 do
  local command, keys = ARGV[a + 1], {task = KEYS[k], record = KEYS[k + 1]}
  local offset, id, appended, expiry, hash, bytes = int(ARGV[a]), unpack(ARGV, a + 2, a + 6)
  k = k + 2
  local outcome
  if command == COMMAND_UNTASK then
    outcome, expiry = untask(offset, keys, id, int(appended))
  else
    outcome = task(offset, keys, id, int(appended), int(expiry), hash, bytes, command == COMMAND_DONE_WHEN_SENT)
  end
  outcomes[#outcomes + 1] = outcome
  expiries[#expiries + 1] = expiry or ''
end
addChanges(KEYS[4], changes)
if int(nextOffset) > done then redis.call('HSET', KEYS[1], field, nextOffset) end
return {ANSWER_OK, table.concat(outcomes), expiries}
