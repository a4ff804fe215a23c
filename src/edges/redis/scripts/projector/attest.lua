-- KEYS marker   ARGV epoch, kind c|t, partition, next offset, total   -> OK, complete 0|1
--
-- One partition has been applied to the end. With the last of them the org becomes usable for this Redis process.
local _, kind, partition, nextOffset, total = unpack(ARGV)
local refused = rebuild()
if refused then return refused end
raise(kind .. ':' .. partition, nextOffset)
redis.call('HSET', KEYS[1], MARKER_ATTESTED .. kind .. partition, 1)
local count = 0
for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(name, 1, 2) == MARKER_ATTESTED then count = count + 1 end
end
if count < int(total) then return {ANSWER_OK, '0'} end
redis.call('HSET', KEYS[1], MARKER_ATTESTED_RUN, runId())
return {ANSWER_OK, '1'}
