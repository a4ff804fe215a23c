-- KEYS marker, pending, ended, announcing, log, then per id: record   ARGV epoch, lease ms, retention ms, then ids
-- -> OK, then id and expiry of each task whose TASK_EXPIRED the caller announces
--
-- Ends tasks that have expired. Each goes to one caller; if that one dies, another gets it after the lease.
local _, lease, retention = unpack(ARGV, 1, 3)
local refused = use()
if refused then return refused end
local now, changes, mine = clock(), {}, {}
for a = 4, #ARGV do
  local id, record = ARGV[a], KEYS[a + 2]
  local expiry = redis.call('ZSCORE', KEYS[2], id)
  if expiry and int(expiry) <= now then
    redis.call('ZREM', KEYS[2], id)
    if redis.call('EXISTS', record) == 1 then redis.call('HSET', record, FIELD_STATE, TASK_EXPIRED, FIELD_ENDED_AT, expiry) end
    redis.call('ZADD', KEYS[3], digits(int(expiry) + int(retention)), id)
    changes[#changes + 1] = CHANGE_REMOVED .. id
    mine[#mine + 1] = id
    mine[#mine + 1] = expiry
  else
    local announcedUntil = redis.call('ZSCORE', KEYS[4], id)
    local f = redis.call('HMGET', record, FIELD_STATE, FIELD_EXPIRY)
    -- An UNTASK from before the expiry may have been applied after it: then the task was removed, and did not expire.
    local known = f[1] == TASK_EXPIRED and f[2]
    if announcedUntil and int(announcedUntil) <= now and known then
      mine[#mine + 1] = id
      mine[#mine + 1] = known
    elseif announcedUntil and not known then
      redis.call('ZREM', KEYS[4], id)
    end
  end
end
for i = 1, #mine, 2 do redis.call('ZADD', KEYS[4], digits(now + int(lease)), mine[i]) end
addChanges(KEYS[5], changes)
return {ANSWER_OK, mine}
