-- Adds to the counts of minutes, each record once.   KEYS marker, next offsets, minutes...
-- ARGV epoch, partition, from, next, seconds to keep, then by minute: number of fields, field, count, ...
-- -> OK, or OK from: an earlier call had counted up to there, and nothing was done. Works while the org is rebuilt.
local refused = rebuild()
if refused then return refused end
local counted = int(redis.call('HGET', KEYS[2], ARGV[2]) or '-1')
if counted > int(ARGV[3]) then return {'OK', counted} end
local at = 6
for i = 3, #KEYS do
  local fields = int(ARGV[at])
  -- Three commands a minute, however much happened in it: a rebuild counts a whole day in one call.
  local names, sums = {}, {}
  for f = at + 1, at + 2 * fields, 2 do names[#names + 1] = ARGV[f] end
  local had = redis.call('HMGET', KEYS[i], unpack(names))
  for n = 1, fields do
    sums[2 * n - 1] = names[n]
    sums[2 * n] = string.format('%.0f', int(had[n] or '0') + int(ARGV[at + 2 * n]))
  end
  redis.call('HSET', KEYS[i], unpack(sums))
  redis.call('EXPIRE', KEYS[i], ARGV[5])
  at = at + 2 * fields + 1
end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[4])
return {'OK'}
