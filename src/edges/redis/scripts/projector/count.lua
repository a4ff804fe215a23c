-- KEYS marker, next offsets, then per minute: counts
-- ARGV epoch, partition, from, next, seconds to keep, then per minute: number of fields, and for each: field, count
-- -> OK; OK and an offset: an earlier call has counted up to there, and this one did nothing
--
-- Adds to the counts of minutes, each record once. Works while the org is rebuilt.
local _, partition, from, nextOffset, keepSeconds = unpack(ARGV, 1, 5)
local refused = rebuild()
if refused then return refused end
local counted = int(redis.call('HGET', KEYS[2], partition) or '-1')
if counted > int(from) then return {ANSWER_OK, counted} end
local at = 6
for i = 3, #KEYS do
  local fields = int(ARGV[at])
  -- Three commands a minute, however much happened in it: a rebuild counts a whole day in one call.
  local names, sums = {}, {}
  for f = at + 1, at + 2 * fields, 2 do names[#names + 1] = ARGV[f] end
  local had = redis.call('HMGET', KEYS[i], unpack(names))
  for n = 1, fields do
    sums[2 * n - 1] = names[n]
    sums[2 * n] = digits(int(had[n] or '0') + int(ARGV[at + 2 * n]))
  end
  redis.call('HSET', KEYS[i], unpack(sums))
  redis.call('EXPIRE', KEYS[i], keepSeconds)
  at = at + 2 * fields + 1
end
redis.call('HSET', KEYS[2], partition, nextOffset)
return {ANSWER_OK}
