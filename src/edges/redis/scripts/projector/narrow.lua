-- KEYS marker, record   ARGV epoch, partition, offset, at, then sids   -> OK, sids that this offset has withdrawn
--
-- Withdraws deliveries of one task for an UNTASK of some sensors. Asked again, it gives the same answer.
local _, partition, untask, at = unpack(ARGV, 1, 4)
local refused = rebuild()
if refused then return refused end
local withdrawn = {}
local function mine(text)
  local state, _, _, detail = readDelivery(text)
  return state == DELIVERY_REMOVED and detail == untask
end
if int(untask) < int(redis.call('HGET', KEYS[1], MARKER_COMMAND_OFFSET .. partition) or '0') then
  local all = redis.call('HGETALL', KEYS[2])
  for i = 1, #all, 2 do
    if string.sub(all[i], 1, 1) ~= '=' and mine(all[i + 1]) then withdrawn[#withdrawn + 1] = all[i] end
  end
  return {ANSWER_OK, withdrawn}
end
local task = redis.call('HMGET', KEYS[2], FIELD_STATE, FIELD_EXPIRY)
if task[1] == TASK_PENDING and int(task[2]) > int(at) then
  for a = 5, #ARGV do
    local sid = ARGV[a]
    local old = redis.call('HGET', KEYS[2], sid)
    local state, attempt, batch, _ = DELIVERY_SENT, 0, NO_BATCH
    if old then state, attempt, _, _, batch = readDelivery(old) end
    -- The batch stays: its claim may be in flight, and a receipt of the delivery has to wait for it.
    if state == DELIVERY_SENT then
      redis.call('HSET', KEYS[2], sid, writeDelivery(DELIVERY_REMOVED, attempt, int(at), untask, batch))
    end
    if state == DELIVERY_SENT or (old and mine(old)) then withdrawn[#withdrawn + 1] = sid end
  end
end
return {ANSWER_OK, withdrawn}
