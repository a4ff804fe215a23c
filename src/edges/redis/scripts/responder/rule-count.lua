-- Counts one time of something that rules count, and answers the count of its period before it. A period starts with its
-- first time. A repeat of a time is not counted again and gets the first answer, as far as it could matter for what runs.
-- KEYS count   ARGV id of the time, by, period ms, count beyond which nothing runs (-1: there is none), ids remembered at most
-- -> count before, as text
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known then return known end
local before = redis.call('HGET', KEYS[1], '=') or '0'
redis.call('HINCRBYFLOAT', KEYS[1], '=', ARGV[2])
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
local most = tonumber(ARGV[4])
if (most < 0 or tonumber(before) < most) and redis.call('HLEN', KEYS[1]) <= tonumber(ARGV[5]) then
  redis.call('HSET', KEYS[1], ARGV[1], before)
end
return before
