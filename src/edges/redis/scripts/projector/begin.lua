-- Marks an org without a valid marker as begun: a new epoch, complete in nothing. Otherwise answers what is there.
-- KEYS marker   ARGV (none used)   -> OK, flat marker fields, now, usable 0|1
local m = redis.call('HMGET', KEYS[1], 'e', 'g', 'r')
local run, now = runId(), clock()
if not m[1] or m[2] ~= run then
  local stale = {'r'}
  for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    local kind = string.sub(field, 1, 2)
    if kind == 'k:' or kind == 'u:' then stale[#stale + 1] = field end
  end
  redis.call('HDEL', KEYS[1], unpack(stale))
  -- Microseconds: two losses within one millisecond are two epochs.
  local t = redis.call('TIME')
  local epoch = t[1] .. string.format('%06d', t[2]) .. '-' .. string.sub(run, 1, 8)
  redis.call('HSET', KEYS[1], 'e', epoch, 'g', run, 'b', string.format('%.0f', now))
  m[3] = false
else
  -- Changes nothing. A node that is full, or that may not write for another reason, refuses it: then its orgs are away, and hold
  -- up no partition that they share with others.
  redis.call('HSETNX', KEYS[1], 'e', m[1])
end
return {'OK', redis.call('HGETALL', KEYS[1]), string.format('%.0f', now), (m[3] == run) and '1' or '0'}
