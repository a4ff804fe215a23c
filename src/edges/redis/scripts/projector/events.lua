-- KEYS marker, pending, ended, log, then per event: task, record
-- ARGV epoch, partition, next offset, retention ms, then per event: event letter, id, sid, attempt, at, expiry, detail
-- -> OK
--
-- Applies task events to a projection that does not have them: a rebuild. The first answer of a delivery counts. Deliveries of a
-- task that has not been replayed yet are kept until it is.
local _, partition, nextOffset, retention = unpack(ARGV, 1, 4)
local refused = rebuild()
if refused then return refused end
local changes = {}
retention = int(retention)

local function expire(keys, id, expiry)
  local f = redis.call('HMGET', keys.record, FIELD_STATE, FIELD_CONTENT_HASH)
  if f[1] and f[1] ~= TASK_PENDING then return end
  redis.call('HSET', keys.record, FIELD_ENDED_AT, digits(expiry))
  if not f[2] then return end
  redis.call('HSET', keys.record, FIELD_STATE, TASK_EXPIRED)
  redis.call('ZREM', KEYS[2], id)
  redis.call('ZADD', KEYS[3], digits(expiry + retention), id)
  redis.call('DEL', keys.task)
  changes[#changes + 1] = CHANGE_REMOVED .. id
end

local function deliver(record, letter, sid, attempt, at, detail)
  local old = redis.call('HGET', record, sid)
  local state, had
  if old then state, had = readDelivery(old) end
  if isAnswered(state) then return end
  if letter == EVENT_SENT and (state == DELIVERY_REMOVED or (had and had >= attempt)) then return end
  if letter == EVENT_REMOVED then attempt = math.max(had or 0, attempt) end -- a later receipt names the attempt that it answers
  redis.call('HSET', record, sid, writeDelivery(letter, attempt, at, detail, NO_BATCH))
end

local k = 5
for a = 5, #ARGV, 7 do
  local letter, id, sid, attempt, at, expiry, detail = unpack(ARGV, a, a + 6)
  local keys = {task = KEYS[k], record = KEYS[k + 1]}
  k = k + 2
  local fresh = redis.call('EXISTS', keys.record) == 0
  if letter == EVENT_EXPIRED then expire(keys, id, int(expiry))
  else deliver(keys.record, letter, sid, int(attempt), int(at), detail) end
  if fresh then redis.call('PEXPIREAT', keys.record, digits(int(expiry) + retention)) end
end
addChanges(KEYS[4], changes)
raise(MARKER_EVENT_OFFSET .. partition, nextOffset)
return {ANSWER_OK}
