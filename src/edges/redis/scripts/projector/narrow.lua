-- Withdraws pairs of one task by an UNTASK for some sensors. Asked again, it answers the sids that this offset withdrew.
-- KEYS marker, record   ARGV epoch, partition, offset, at, sids...   -> OK, sids
local refused = rebuild()
if refused then return refused end
local field, offset = 'c:' .. ARGV[2], int(ARGV[3])
local withdrawn = {}
local function mine(text)
  local state, _, _, extra = readPair(text)
  return state == 'r' and extra == ARGV[3]
end
if offset < int(redis.call('HGET', KEYS[1], field) or '0') then
  local all = redis.call('HGETALL', KEYS[2])
  for i = 1, #all, 2 do
    if string.sub(all[i], 1, 1) ~= '=' and mine(all[i + 1]) then withdrawn[#withdrawn + 1] = all[i] end
  end
  return {'OK', withdrawn}
end
local task = redis.call('HMGET', KEYS[2], '=s', '=x')
if task[1] == 'p' and int(task[2]) > int(ARGV[4]) then
  for a = 5, #ARGV do
    local old = redis.call('HGET', KEYS[2], ARGV[a])
    local state, attempt, batch, _ = 's', 0, '-'
    if old then state, attempt, _, _, batch = readPair(old) end
    -- The batch stays: its claim may be in flight, and a receipt of the pair has to wait for it.
    if state == 's' then redis.call('HSET', KEYS[2], ARGV[a], writePair('r', attempt, int(ARGV[4]), ARGV[3], batch)) end
    if state == 's' or (old and mine(old)) then withdrawn[#withdrawn + 1] = ARGV[a] end
  end
end
return {'OK', withdrawn}
