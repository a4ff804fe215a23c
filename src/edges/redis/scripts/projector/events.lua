-- Applies task events to a projection that does not have them: a rebuild. The first ack of a pair counts.
-- Pairs of a task that has not been replayed yet are kept; they wait for it.
-- KEYS marker, pending, ended, log, then per event: task, record
-- ARGV epoch, partition, next offset, retention ms, then per event: type s|d|f|r|e, id, sid, attempt, at, expiry, extra
local refused = rebuild()
if refused then return refused end
local field, retention, changes = 't:' .. ARGV[2], int(ARGV[4]), {}

local function expired(keys, id, expiry)
  local f = redis.call('HMGET', keys.record, '=s', '=c')
  if f[1] and f[1] ~= 'p' then return end
  redis.call('HSET', keys.record, '=e', string.format('%.0f', expiry))
  if not f[2] then return end
  redis.call('HSET', keys.record, '=s', 'e')
  redis.call('ZREM', KEYS[2], id)
  redis.call('ZADD', KEYS[3], string.format('%.0f', expiry + retention), id)
  redis.call('DEL', keys.task)
  changes[#changes + 1] = '-' .. id
end

local function pair(keys, kind, sid, attempt, at, extra)
  local old = redis.call('HGET', keys.record, sid)
  local state, had
  if old then state, had = readPair(old) end
  if state == 'd' or state == 'f' then return end
  if kind == 's' and (state == 'r' or (had and had >= attempt)) then return end
  if kind == 'r' then attempt = math.max(had or 0, attempt) end -- a later receipt names the attempt that it answers
  redis.call('HSET', keys.record, sid, writePair(kind, attempt, at, extra, '-'))
end

local k = 5
for a = 5, #ARGV, 7 do
  local keys, expiry = {task = KEYS[k], record = KEYS[k + 1]}, int(ARGV[a + 5])
  k = k + 2
  local fresh = redis.call('EXISTS', keys.record) == 0
  if ARGV[a] == 'e' then expired(keys, ARGV[a + 1], expiry)
  else pair(keys, ARGV[a], ARGV[a + 2], int(ARGV[a + 3]), int(ARGV[a + 4]), ARGV[a + 6]) end
  if fresh then redis.call('PEXPIREAT', keys.record, string.format('%.0f', expiry + retention)) end
end
if #changes > 0 then
  redis.call('RPUSH', KEYS[4], unpack(changes))
  redis.call('LTRIM', KEYS[4], -1024, -1)
  redis.call('HINCRBY', KEYS[1], 'v', #changes)
end
if int(ARGV[3]) > int(redis.call('HGET', KEYS[1], field) or '-1') then redis.call('HSET', KEYS[1], field, ARGV[3]) end
return {'OK'}
