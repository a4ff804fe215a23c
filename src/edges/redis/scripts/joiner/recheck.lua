-- Before a late or repeated produce: what of a batch may still be sent, with a new lease.
-- On a refusal the batch stays in flight, so that whoever owns the sensors next takes it up.
-- KEYS marker, in flight, record per task   ARGV epoch, partition, token, lease ms, margin ms, batch, per task: 'sid sid ...'
-- -> OK, now, per task a string of 1 (kept) and 0 (dropped)
local refused = use(ARGV[2], ARGV[3])
if refused then return refused end
local now, out, kept = clock(), {}, false
for k = 3, #KEYS do
  local head = redis.call('HMGET', KEYS[k], '=s', '=x')
  local pending = head[1] == 'p' and int(head[2]) - now > int(ARGV[5])
  local bits = {}
  for sid in string.gmatch(ARGV[k + 4], '%S+') do
    local text = pending and redis.call('HGET', KEYS[k], sid)
    local keep = false
    if text then
      local state, attempt, _, extra, batch = readPair(text)
      if state == 's' and batch == ARGV[6] then
        redis.call('HSET', KEYS[k], sid, writePair('s', attempt, now, extra, batch))
        keep = true
        kept = true
      end
    end
    bits[#bits + 1] = keep and '1' or '0'
  end
  out[k - 2] = table.concat(bits)
end
if kept then redis.call('ZADD', KEYS[2], string.format('%.0f', now + int(ARGV[4])), ARGV[6]) end
return {'OK', string.format('%.0f', now), out}
