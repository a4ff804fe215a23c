-- KEYS marker, positions, then per task: record, responses
-- ARGV partition, expected position or '', next position or '' to keep it, maximum of a task, then per task: number of responses, and for each: field, value
-- -> OK; MOVED: the position is not the expected one; LOST; NOTREADY. All but OK have done nothing.
--
-- Stores the locations of responses, each once, and how far the partition is searched for them. A task that is unknown, or whose
-- retention is over, has none.
local partition, expected, nextPosition, most = unpack(ARGV, 1, 4)
local attested = redis.call('HGET', KEYS[1], MARKER_ATTESTED_RUN)
if not attested then return {redis.call('EXISTS', KEYS[1]) == 1 and ANSWER_NOT_READY or ANSWER_LOST} end
if attested ~= runId() then return {ANSWER_NOT_READY} end
if (redis.call('HGET', KEYS[2], partition) or '') ~= expected then return {ANSWER_MOVED} end

local a = 5
for k = 3, #KEYS, 2 do
  local record, responses = KEYS[k], KEYS[k + 1]
  local last = a + 2 * int(ARGV[a])
  local left = redis.call('PTTL', record)
  if left > 0 and redis.call('HEXISTS', record, FIELD_CONTENT_HASH) == 1 then
    for i = a + 1, last, 2 do
      if redis.call('HLEN', responses) < int(most) then redis.call('HSETNX', responses, ARGV[i], ARGV[i + 1])
      elseif redis.call('HEXISTS', responses, ARGV[i]) == 0 then redis.call('HSET', responses, RESPONSES_MORE_FIELD, 1) end
    end
    redis.call('PEXPIRE', responses, left)
  end
  a = last + 1
end
if nextPosition ~= '' then redis.call('HSET', KEYS[2], partition, nextPosition) end
return {ANSWER_OK}
