-- Notes where the responses of tasks stand, each once, and up to where the partition was read for that. A task that is not
-- known, or is over for longer than the retention, has none.
-- KEYS marker, positions, then per task: record, responses
-- ARGV partition, position expected or '', next position or '' to leave it, most of a task,
--      then per task: number of responses, and for each: field, value
-- -> OK · MOVED: the position is another one, and nothing was noted · LOST, NOTREADY
local attested = redis.call('HGET', KEYS[1], 'r')
if not attested then return {redis.call('EXISTS', KEYS[1]) == 1 and 'NOTREADY' or 'LOST'} end
if attested ~= runId() then return {'NOTREADY'} end
if (redis.call('HGET', KEYS[2], ARGV[1]) or '') ~= ARGV[2] then return {'MOVED'} end

local most, a = int(ARGV[4]), 5
for k = 3, #KEYS, 2 do
  local record, responses = KEYS[k], KEYS[k + 1]
  local last = a + 2 * int(ARGV[a])
  local left = redis.call('PTTL', record)
  if left > 0 and redis.call('HEXISTS', record, '=c') == 1 then
    for i = a + 1, last, 2 do
      if redis.call('HLEN', responses) < most then redis.call('HSETNX', responses, ARGV[i], ARGV[i + 1])
      elseif redis.call('HEXISTS', responses, ARGV[i]) == 0 then redis.call('HSET', responses, '=more', 1) end
    end
    redis.call('PEXPIRE', responses, left)
  end
  a = last + 1
end
if ARGV[3] ~= '' then redis.call('HSET', KEYS[2], ARGV[1], ARGV[3]) end
return {'OK'}
