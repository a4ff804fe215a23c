-- KEYS marker, in flight   ARGV epoch   -> OK, now, then each batch and the end of its lease
--
-- The claim batches whose lease has not ended.
local refused = use()
if refused then return refused end
local now = digits(clock())
return {ANSWER_OK, now, redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. now, '+inf', 'WITHSCORES')}
