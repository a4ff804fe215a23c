-- KEYS marker   ARGV none   -> OK, flat marker fields, now, usable 0|1; or LOST
--
-- The marker, unchanged.
local all = redis.call('HGETALL', KEYS[1])
if #all == 0 then return {ANSWER_LOST} end
local usable = redis.call('HGET', KEYS[1], MARKER_ATTESTED_RUN) == runId()
return {ANSWER_OK, all, digits(clock()), usable and '1' or '0'}
