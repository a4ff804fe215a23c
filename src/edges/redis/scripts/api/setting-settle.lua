-- Ends a claim on the name of a setting; does nothing if it has passed to another writer.
-- KEYS name   ARGV token, keep ms, and the etag, where it is known
-- -> OK
if redis.call('HGET', KEYS[1], 't') ~= ARGV[1] then return {'OK'} end
redis.call('DEL', KEYS[1])
if ARGV[3] then
  redis.call('HSET', KEYS[1], 'e', ARGV[3], 'r', runId())
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return {'OK'}
