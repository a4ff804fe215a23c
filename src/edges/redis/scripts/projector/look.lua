-- KEYS pending, announcing, ended   ARGV maximum number of each   -> ids of expired tasks, ids whose announcement has no lease
--
-- What has run out by the clock of Redis. Ended tasks whose retention is over are forgotten.
local most = unpack(ARGV)
local now = digits(clock())
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
local function over(key) return redis.call('ZRANGEBYSCORE', key, '-inf', now, 'LIMIT', 0, most) end
return {over(KEYS[1]), over(KEYS[2])}
