-- The batches whose lease still runs.   KEYS marker, in flight   ARGV epoch   -> OK, now, batch, end, ...
local refused = use()
if refused then return refused end
local now = string.format('%.0f', clock())
return {'OK', now, redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. now, '+inf', 'WITHSCORES')}
