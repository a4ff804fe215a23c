-- What the marker says, without changing it.
-- KEYS marker   -> OK, flat marker fields, now, usable 0|1   or LOST
local all = redis.call('HGETALL', KEYS[1])
if #all == 0 then return {'LOST'} end
local usable = redis.call('HGET', KEYS[1], 'r') == runId()
return {'OK', all, string.format('%.0f', clock()), usable and '1' or '0'}
