-- A batch is on the log. What was dropped instead goes back one attempt; what was dropped and may be on the log all the same
-- keeps it. Both are due at the next match. Commands that nobody answers are done.
-- KEYS marker, in flight, record per task   ARGV epoch, batch, then per task: 'sid sid ...' dropped, the same kept, the same done
local epoch = redis.call('HGET', KEYS[1], 'e')
if not epoch then return {'LOST'} end
if epoch ~= ARGV[1] then return {'EPOCH', epoch} end
local now = clock()
local a = 3
for k = 3, #KEYS do
  for sid in string.gmatch(ARGV[a], '%S+') do
    local text = redis.call('HGET', KEYS[k], sid)
    if text then
      local state, attempt, at, _, batch = readPair(text)
      if state == 's' and batch == ARGV[2] then
        if attempt <= 1 then redis.call('HDEL', KEYS[k], sid)
        else redis.call('HSET', KEYS[k], sid, writePair('s', attempt - 1, at, '0', '-')) end
      end
    end
  end
  for sid in string.gmatch(ARGV[a + 1], '%S+') do
    local text = redis.call('HGET', KEYS[k], sid)
    if text then
      local state, attempt, at, _, batch = readPair(text)
      if state == 's' and batch == ARGV[2] then redis.call('HSET', KEYS[k], sid, writePair('s', attempt, at, '0', '-')) end
    end
  end
  for sid in string.gmatch(ARGV[a + 2], '%S+') do
    local text = redis.call('HGET', KEYS[k], sid)
    if text then
      local state, _, _, _, batch = readPair(text)
      -- Also what was withdrawn in flight: it ran, and its TASK_DONE says so.
      if (state == 's' or state == 'r') and batch == ARGV[2] then
        redis.call('HSET', KEYS[k], sid, writePair('d', 1, now, '0', '-'))
      end
    end
  end
  a = a + 3
end
redis.call('ZREM', KEYS[2], ARGV[2])
return {'OK'}
