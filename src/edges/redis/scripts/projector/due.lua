-- Ends tasks that have run out. Each id goes to one caller, who announces it; if it dies, another gets it after the lease.
-- KEYS marker, pending, ended, announcing, log, record per id   ARGV epoch, lease ms, retention ms, ids...
-- -> OK, then id, expiry for each that the caller announces
local refused = use()
if refused then return refused end
local now, changes, mine = clock(), {}, {}
for a = 4, #ARGV do
  local id, record = ARGV[a], KEYS[a + 2]
  local expiry = redis.call('ZSCORE', KEYS[2], id)
  if expiry and int(expiry) <= now then
    redis.call('ZREM', KEYS[2], id)
    if redis.call('EXISTS', record) == 1 then redis.call('HSET', record, '=s', 'e', '=e', expiry) end
    redis.call('ZADD', KEYS[3], string.format('%.0f', int(expiry) + int(ARGV[3])), id)
    changes[#changes + 1] = '-' .. id
    mine[#mine + 1] = id
    mine[#mine + 1] = expiry
  else
    local lease = redis.call('ZSCORE', KEYS[4], id)
    local f = redis.call('HMGET', record, '=s', '=x')
    -- An UNTASK from before the expiry may have been applied after it: then the task ended by that, and did not expire.
    local known = f[1] == 'e' and f[2]
    if lease and int(lease) <= now and known then
      mine[#mine + 1] = id
      mine[#mine + 1] = known
    elseif lease and not known then
      redis.call('ZREM', KEYS[4], id)
    end
  end
end
for i = 1, #mine, 2 do redis.call('ZADD', KEYS[4], string.format('%.0f', now + int(ARGV[2])), mine[i]) end
if #changes > 0 then
  redis.call('RPUSH', KEYS[5], unpack(changes))
  redis.call('LTRIM', KEYS[5], -1024, -1)
  redis.call('HINCRBY', KEYS[1], 'v', #changes)
end
return {'OK', mine}
