-- One partition has been applied to the end. With the last of them the org becomes usable for this Redis process.
-- KEYS marker   ARGV epoch, kind c|t, partition, next offset, total   -> OK, complete 0|1
local refused = rebuild()
if refused then return refused end
local field = ARGV[2] .. ':' .. ARGV[3]
local have = int(redis.call('HGET', KEYS[1], field) or '-1')
if int(ARGV[4]) > have then redis.call('HSET', KEYS[1], field, ARGV[4]) end
redis.call('HSET', KEYS[1], 'k:' .. ARGV[2] .. ARGV[3], 1)
local count = 0
for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(name, 1, 2) == 'k:' then count = count + 1 end
end
if count < int(ARGV[5]) then return {'OK', '0'} end
redis.call('HSET', KEYS[1], 'r', runId())
return {'OK', '1'}
