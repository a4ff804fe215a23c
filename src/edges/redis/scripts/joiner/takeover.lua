-- KEYS marker, in flight   ARGV epoch, partition   -> OK, fencing token, next presence offset or '', now, then each batch and the end of its lease
--
-- The caller owns the partition from now on: every earlier fencing token is refused.
local _, partition = unpack(ARGV)
local refused = use()
if refused then return refused end
local fencingToken = redis.call('HINCRBY', KEYS[1], MARKER_FENCING_TOKEN .. partition, 1)
local mine, all = {}, redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')
for i = 1, #all, 2 do
  if string.sub(all[i], 1, #partition + 1) == partition .. ':' then
    mine[#mine + 1] = all[i]
    mine[#mine + 1] = all[i + 1]
  end
end
local nextOffset = redis.call('HGET', KEYS[1], MARKER_PRESENCE_OFFSET .. partition) or ''
return {ANSWER_OK, tostring(fencingToken), nextOffset, digits(clock()), mine}
