-- KEYS setting   ARGV token, keep ms, and the etag, where it is known   -> OK
--
-- Ends a claim on a setting. Does nothing if the claim has passed to another writer.
local token, keep, etag = unpack(ARGV)
if redis.call('HGET', KEYS[1], SETTING_TOKEN) ~= token then return {ANSWER_OK} end
redis.call('DEL', KEYS[1])
if etag then
  redis.call('HSET', KEYS[1], SETTING_ETAG, etag, SETTING_RUN, runId())
  redis.call('PEXPIRE', KEYS[1], keep)
end
return {ANSWER_OK}
