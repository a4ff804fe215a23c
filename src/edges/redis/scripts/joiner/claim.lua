-- KEYS marker, in flight, then per task: record
-- ARGV epoch, partition, fencing token, lease ms, margin ms, first backoff ms, longest backoff ms, batch, then per task: 'sid connection-hash ...'
-- -> OK, version, now, then per task CLAIM_GONE, or for each of its sids a claim letter, with the attempt or the time
--
-- Takes the right to send, delivery by delivery. This is the last check before every dispatch: the task is pending and has time
-- left, the delivery is not settled, and no other attempt is in flight.
local _, partition, fencingToken, lease, margin, first, longest, batch = unpack(ARGV, 1, 8)
local refused, version = use(partition, fencingToken)
if refused then return refused end
local now = clock()
lease, margin, first, longest = int(lease), int(margin), int(first), int(longest)
local ends, out, claimed = {}, {}, false

local function leaseOf(name)
  if name == NO_BATCH then return nil end
  if ends[name] == nil then ends[name] = int(redis.call('ZSCORE', KEYS[2], name) or '0') end
  return ends[name] > 0 and ends[name] or nil
end

-- Answers what the caller gets for the delivery, and the attempt to claim if it is to be claimed.
local function decide(text, connectionHash)
  if not text then return CLAIM_CLAIMED .. '1', 1 end
  local state, attempt, at, detail, owner = readDelivery(text)
  if state ~= DELIVERY_SENT then return CLAIM_SETTLED end
  local running = leaseOf(owner)
  if running and running > now then return CLAIM_WAIT .. digits(running) end
  if running and attempt > 0 then return CLAIM_AGAIN .. attempt, attempt end -- its claimer may have died before the produce
  -- The dispatch may be on the log, and its TASK_DONE too: both are repeated under the same id.
  if isDoneWhenSent(detail) and owner ~= NO_BATCH and attempt > 0 then return CLAIM_AGAIN .. attempt, attempt end
  local due = at + math.min(first * 2 ^ math.min(attempt - 1, 30), longest)
  if detail == connectionHash and due > now then return CLAIM_WAIT .. digits(due) end
  return CLAIM_CLAIMED .. (attempt + 1), attempt + 1
end

for k = 3, #KEYS do
  local head = redis.call('HMGET', KEYS[k], FIELD_STATE, FIELD_EXPIRY)
  if head[1] ~= TASK_PENDING or int(head[2]) - now <= margin then
    out[k - 2] = CLAIM_GONE
  else
    local sids, hashes = {}, {}
    for sid, hash in string.gmatch(ARGV[k + 6], '(%S+) (%S+)') do
      sids[#sids + 1] = sid
      hashes[#hashes + 1] = hash
    end
    local old, answers, set = redis.call('HMGET', KEYS[k], unpack(sids)), {}, {}
    for i = 1, #sids do
      local answer, attempt = decide(old[i], hashes[i])
      answers[i] = answer
      if attempt then
        set[#set + 1] = sids[i]
        set[#set + 1] = writeDelivery(DELIVERY_SENT, attempt, now, hashes[i], batch)
      end
    end
    if #set > 0 then
      redis.call('HSET', KEYS[k], unpack(set))
      claimed = true
    end
    out[k - 2] = table.concat(answers, ' ')
  end
end
if claimed then redis.call('ZADD', KEYS[2], digits(now + lease), batch) end
return {ANSWER_OK, version, digits(now), out}
