-- KEYS marker, in flight, then per task: record   ARGV epoch, batch, then per task: 'sid ...' dropped, 'sid ...' kept, 'sid ...' done
-- -> OK or LOST or EPOCH
--
-- A batch is on the log. A delivery that was dropped goes back one attempt; one that was dropped and may be on the log keeps its
-- attempt. Both are due at the next match. Commands that no sensor answers are done.
local callerEpoch, confirmed = unpack(ARGV, 1, 2)
local epoch = redis.call('HGET', KEYS[1], MARKER_EPOCH)
if not epoch then return {ANSWER_LOST} end
if epoch ~= callerEpoch then return {ANSWER_EPOCH, epoch} end
local now = clock()

-- The deliveries of these sids that this batch has claimed.
local function each(record, sids, work)
  for sid in string.gmatch(sids, '%S+') do
    local text = redis.call('HGET', record, sid)
    if text then
      local state, attempt, at, _, batch = readDelivery(text)
      if batch == confirmed then work(sid, state, attempt, at) end
    end
  end
end

local a = 3
for k = 3, #KEYS do
  local record = KEYS[k]
  each(record, ARGV[a], function(sid, state, attempt, at)
    if state ~= DELIVERY_SENT then return end
    if attempt <= 1 then redis.call('HDEL', record, sid)
    else redis.call('HSET', record, sid, writeDelivery(DELIVERY_SENT, attempt - 1, at, NO_DETAIL, NO_BATCH)) end
  end)
  each(record, ARGV[a + 1], function(sid, state, attempt, at)
    if state ~= DELIVERY_SENT then return end
    redis.call('HSET', record, sid, writeDelivery(DELIVERY_SENT, attempt, at, NO_DETAIL, NO_BATCH))
  end)
  each(record, ARGV[a + 2], function(sid, state)
    -- Also one that was withdrawn in flight: it ran, and its TASK_DONE says so.
    if state ~= DELIVERY_SENT and state ~= DELIVERY_REMOVED then return end
    redis.call('HSET', record, sid, writeDelivery(DELIVERY_DONE, 1, now, NO_DETAIL, NO_BATCH))
  end)
  a = a + 3
end
redis.call('ZREM', KEYS[2], confirmed)
return {ANSWER_OK}
