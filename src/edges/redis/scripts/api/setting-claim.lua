-- KEYS setting   ARGV token, lease ms, keep ms
-- -> BUSY, ms until the lease of another writer ends; OK, the etag last settled with this Redis process, or nil
--
-- Claims a setting for one writer. What was settled before is answered once and forgotten: if this writer dies, the next one gets
-- no etag and has to read the log.
local token, lease, keep = unpack(ARGV)
local now = clock()
local held = redis.call('HMGET', KEYS[1], SETTING_TOKEN, SETTING_LEASE_END, SETTING_ETAG, SETTING_RUN)
if held[1] and int(held[2]) > now then return {ANSWER_BUSY, digits(int(held[2]) - now)} end
local known = not held[1] and held[4] == runId() and held[3] or false
redis.call('HDEL', KEYS[1], SETTING_ETAG, SETTING_RUN)
redis.call('HSET', KEYS[1], SETTING_TOKEN, token, SETTING_LEASE_END, digits(now + int(lease)))
redis.call('PEXPIRE', KEYS[1], keep)
return {ANSWER_OK, known}
