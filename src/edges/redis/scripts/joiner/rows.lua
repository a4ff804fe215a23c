-- KEYS marker, facts, presence
-- ARGV epoch, partition, fencing token, next offset, live 1|0, replace 1|0, number of facts, of rows, then each sid and bytes, each sid and row, forgotten sids
-- -> OK
--
-- What presence records have changed, and how far they have been read.
local _, partition, fencingToken, nextOffset, live, replace, facts, rows = unpack(ARGV, 1, 8)
local refused = use(partition, fencingToken)
if refused then return refused end
if replace == '1' then
  redis.call('DEL', KEYS[2], KEYS[3])
  -- Until all rows are there, an owner that loads them must not take them for complete.
  redis.call('HDEL', KEYS[1], MARKER_PRESENCE_OFFSET .. partition, MARKER_LIVE .. partition)
end
local a = 9
for _ = 1, int(facts) do
  redis.call('HSET', KEYS[2], ARGV[a], ARGV[a + 1])
  a = a + 2
end
for _ = 1, int(rows) do
  redis.call('HSET', KEYS[3], ARGV[a], ARGV[a + 1])
  a = a + 2
end
for i = a, #ARGV do
  redis.call('HDEL', KEYS[2], ARGV[i])
  redis.call('HDEL', KEYS[3], ARGV[i])
end
raise(MARKER_PRESENCE_OFFSET .. partition, nextOffset)
if live == '1' then redis.call('HSET', KEYS[1], MARKER_LIVE .. partition, '1') end
return {ANSWER_OK}
