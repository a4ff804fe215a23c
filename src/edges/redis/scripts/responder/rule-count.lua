-- KEYS count   ARGV id of the event, by, period ms, count beyond which nothing runs (-1: none), maximum number of remembered ids   -> count before, as text
--
-- Counts one event for a suppression, and answers the count of its period before it. A period starts with its first event. A
-- repeated event is not counted again and gets the first answer, as far as that could matter for what runs.
local id, by, period, limit, idsMax = unpack(ARGV)
local known = redis.call('HGET', KEYS[1], id)
if known then return known end
local before = redis.call('HGET', KEYS[1], RULE_COUNT_FIELD) or '0'
redis.call('HINCRBYFLOAT', KEYS[1], RULE_COUNT_FIELD, by)
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], period) end
local most = tonumber(limit)
if (most < 0 or tonumber(before) < most) and redis.call('HLEN', KEYS[1]) <= tonumber(idsMax) then
  redis.call('HSET', KEYS[1], id, before)
end
return before
