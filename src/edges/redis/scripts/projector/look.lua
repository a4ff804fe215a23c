-- What has run out by the clock of Redis: tasks to end, and announcements whose lease is over. Ended tasks whose time is over go.
-- KEYS pending, announcing, ended   ARGV most of each   -> ids, ids
local now = string.format('%.0f', clock())
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
local function over(key) return redis.call('ZRANGEBYSCORE', key, '-inf', now, 'LIMIT', 0, ARGV[1]) end
return {over(KEYS[1]), over(KEYS[2])}
