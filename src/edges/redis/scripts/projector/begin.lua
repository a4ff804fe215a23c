-- KEYS marker   ARGV none   -> OK, flat marker fields, now, usable 0|1
--
-- Marks an org without a valid marker as begun: a new epoch, complete in nothing. Otherwise it answers what is there.
local m = redis.call('HMGET', KEYS[1], MARKER_EPOCH, MARKER_BEGUN_RUN, MARKER_ATTESTED_RUN)
local run, now = runId(), clock()
if not m[1] or m[2] ~= run then
  local stale = {MARKER_ATTESTED_RUN}
  for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    local kind = string.sub(field, 1, 2)
    if kind == MARKER_ATTESTED or kind == MARKER_LIVE then stale[#stale + 1] = field end
  end
  redis.call('HDEL', KEYS[1], unpack(stale))
  -- Microseconds: two losses within one millisecond are two epochs.
  local t = redis.call('TIME')
  local epoch = t[1] .. string.format('%06d', t[2]) .. '-' .. string.sub(run, 1, 8)
  redis.call('HSET', KEYS[1], MARKER_EPOCH, epoch, MARKER_BEGUN_RUN, run, MARKER_BEGUN_AT, digits(now))
  m[3] = false
else
  -- Changes nothing. A node that is full, or that may not write for another reason, refuses it. Then its orgs are away, and do
  -- not delay the partitions that they share with others.
  redis.call('HSETNX', KEYS[1], MARKER_EPOCH, m[1])
end
return {ANSWER_OK, redis.call('HGETALL', KEYS[1]), digits(now), (m[3] == run) and '1' or '0'}
