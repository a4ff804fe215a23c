-- The responses of a task go with its record, which an UNTASK may have brought nearer.   KEYS record, responses
local left = redis.call('PTTL', KEYS[1])
if left > 0 then redis.call('PEXPIRE', KEYS[2], left) end
if left == -2 then redis.call('UNLINK', KEYS[2]) end
return {'OK'}
