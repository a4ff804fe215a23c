-- What presence records have changed, and how far they have been read.
-- KEYS marker, facts, presence   ARGV epoch, partition, token, next offset, live 1|0, replace 1|0, number of facts, of rows, then sid, bytes ...,
-- sid, row ..., forgotten sids ...   -> OK
local refused = use(ARGV[2], ARGV[3])
if refused then return refused end
local facts, rows = int(ARGV[7]), int(ARGV[8])
if ARGV[6] == '1' then
  redis.call('DEL', KEYS[2], KEYS[3])
  -- Until all rows are there, an owner that loads them must not take them for whole.
  redis.call('HDEL', KEYS[1], 's:' .. ARGV[2], 'u:' .. ARGV[2])
end
local a = 9
for _ = 1, facts do
  redis.call('HSET', KEYS[2], ARGV[a], ARGV[a + 1])
  a = a + 2
end
for _ = 1, rows do
  redis.call('HSET', KEYS[3], ARGV[a], ARGV[a + 1])
  a = a + 2
end
for i = a, #ARGV do
  redis.call('HDEL', KEYS[2], ARGV[i])
  redis.call('HDEL', KEYS[3], ARGV[i])
end
local field = 's:' .. ARGV[2]
if int(ARGV[4]) > int(redis.call('HGET', KEYS[1], field) or '-1') then redis.call('HSET', KEYS[1], field, ARGV[4]) end
if ARGV[5] == '1' then redis.call('HSET', KEYS[1], 'u:' .. ARGV[2], '1') end
return {'OK'}
