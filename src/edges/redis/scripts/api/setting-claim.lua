-- Claims the name of a setting for one writer. What was settled before is answered once and forgotten: if this writer dies,
-- the next one is told nothing, and has to read the log.
-- KEYS name   ARGV token, lease ms, keep ms
-- -> BUSY, ms that are left of another's lease · OK, etag last settled with this very Redis process, or nil
local now = clock()
local held = redis.call('HMGET', KEYS[1], 't', 'u', 'e', 'r')
if held[1] and int(held[2]) > now then return {'BUSY', string.format('%.0f', int(held[2]) - now)} end
local known = not held[1] and held[4] == runId() and held[3] or false
redis.call('HDEL', KEYS[1], 'e', 'r')
redis.call('HSET', KEYS[1], 't', ARGV[1], 'u', string.format('%.0f', now + int(ARGV[2])))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {'OK', known}
