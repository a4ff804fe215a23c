-- KEYS marker, in flight, then per task: record   ARGV epoch, partition, fencing token, lease ms, margin ms, batch, then per task: 'sid ...'
-- -> OK, now, per task a text with 1 (may be sent) or 0 for each sid
--
-- Before a late or repeated produce: which deliveries of a batch may still be sent, with a new lease. On a refusal the batch stays
-- in flight, so that the next owner of the sensors takes it up.
local _, partition, fencingToken, lease, margin, rechecked = unpack(ARGV, 1, 6)
local refused = use(partition, fencingToken)
if refused then return refused end
local now, out, kept = clock(), {}, false
for k = 3, #KEYS do
  local head = redis.call('HMGET', KEYS[k], FIELD_STATE, FIELD_EXPIRY)
  local pending = head[1] == TASK_PENDING and int(head[2]) - now > int(margin)
  local bits = {}
  for sid in string.gmatch(ARGV[k + 4], '%S+') do
    local text = pending and redis.call('HGET', KEYS[k], sid)
    local keep = false
    if text then
      local state, attempt, _, detail, batch = readDelivery(text)
      if state == DELIVERY_SENT and batch == rechecked then
        redis.call('HSET', KEYS[k], sid, writeDelivery(DELIVERY_SENT, attempt, now, detail, batch))
        keep = true
        kept = true
      end
    end
    bits[#bits + 1] = keep and '1' or '0'
  end
  out[k - 2] = table.concat(bits)
end
if kept then redis.call('ZADD', KEYS[2], digits(now + int(lease)), rechecked) end
return {ANSWER_OK, digits(now), out}
