-- KEYS record, responses   ARGV none   -> OK
--
-- The responses of a task expire with its record, also when an UNTASK has brought that nearer.
local left = redis.call('PTTL', KEYS[1])
if left > 0 then redis.call('PEXPIRE', KEYS[2], left) end
if left == -2 then redis.call('UNLINK', KEYS[2]) end
return {ANSWER_OK}
