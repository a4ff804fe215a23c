-- KEYS marker, in flight, then per receipt: record   ARGV epoch, partition, fencing token, then per receipt: sid, delivery letter, code
-- -> OK, now, per receipt ACK_GONE or 'letter state attempt at code expiry', then batches to wait for, each with the end of its lease
--
-- Settles deliveries by what sensors answered. The first answer counts, also when the task has ended meanwhile: it ran.
local _, partition, fencingToken = unpack(ARGV, 1, 3)
local refused = use(partition, fencingToken)
if refused then return refused end
local now, answers, wait, all = clock(), {}, {}, false
local function waitFor(batch)
  local lease = redis.call('ZSCORE', KEYS[2], batch)
  if lease and int(lease) > now then wait[batch] = lease end
end
local function answer(letter, state, attempt, at, code, expiry)
  answers[#answers + 1] = table.concat({letter, state, attempt, digits(at), code, expiry}, ' ')
end
local a = 4
for k = 3, #KEYS do
  local sid, state, code = ARGV[a], ARGV[a + 1], ARGV[a + 2]
  a = a + 3
  local f = redis.call('HMGET', KEYS[k], FIELD_CONTENT_HASH, FIELD_EXPIRY, sid, FIELD_DONE_WHEN_SENT)
  local known, expiry, stored, doneWhenSent = f[1], f[2], f[3], f[4]
  if not known then
    answers[#answers + 1] = ACK_GONE
  else
    local was, attempt, at, detail, batch
    if stored then was, attempt, at, detail, batch = readDelivery(stored) end
    if isAnswered(was) then
      -- Its claim is no longer known, so the caller waits for every batch in flight.
      all = true
      answer(ACK_REPEAT, was, doneWhenSent and 1 or attempt, at, detail, expiry)
    else
      if was and batch ~= NO_BATCH then waitFor(batch) end
      -- Its TASK_DONE is on the log, or will be: that event alone decides.
      if doneWhenSent then state, code, attempt = DELIVERY_DONE, NO_DETAIL, 1 end
      redis.call('HSET', KEYS[k], sid, writeDelivery(state, attempt or 0, now, code, NO_BATCH))
      answer(ACK_FIRST, state, attempt or 0, now, code, expiry)
    end
  end
end
if all then
  local running = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. digits(now), '+inf', 'WITHSCORES')
  for i = 1, #running, 2 do wait[running[i]] = running[i + 1] end
end
local flat = {}
for batch, lease in pairs(wait) do
  flat[#flat + 1] = batch
  flat[#flat + 1] = lease
end
return {ANSWER_OK, digits(now), answers, flat}
