-- Settles pairs by what sensors answered. The first answer counts, also when the task has ended meanwhile: it ran.
-- KEYS marker, in flight, record per ack   ARGV epoch, partition, token, then per ack: sid, d|f, code
-- -> OK, now, per ack: G, or 'n|o state attempt at code expiry' (n first, o settled before), then batches to wait for, with ends
local refused = use(ARGV[2], ARGV[3])
if refused then return refused end
local now, words, wait, all = clock(), {}, {}, false
local function waitFor(batch)
  local lease = redis.call('ZSCORE', KEYS[2], batch)
  if lease and int(lease) > now then wait[batch] = lease end
end
local a = 4
for k = 3, #KEYS do
  local sid, state, code = ARGV[a], ARGV[a + 1], ARGV[a + 2]
  a = a + 3
  local f = redis.call('HMGET', KEYS[k], '=c', '=x', sid, '=w')
  if not f[1] then
    words[#words + 1] = 'G'
  else
    local was, attempt, at, extra, batch
    if f[3] then was, attempt, at, extra, batch = readPair(f[3]) end
    if was == 'd' or was == 'f' then
      -- Its claim is no longer known, so whatever is in flight is waited for.
      all = true
      words[#words + 1] = 'o ' .. was .. ' ' .. (f[4] and 1 or attempt) .. ' ' .. string.format('%.0f', at) .. ' ' .. extra .. ' ' .. f[2]
    else
      if was and batch ~= '-' then waitFor(batch) end
      -- Its TASK_DONE is on the log, or about to be: that is the one verdict.
      if f[4] then state, code, attempt = 'd', '0', 1 end
      redis.call('HSET', KEYS[k], sid, writePair(state, attempt or 0, now, code, '-'))
      words[#words + 1] = 'n ' .. state .. ' ' .. (attempt or 0) .. ' ' .. string.format('%.0f', now) .. ' ' .. code .. ' ' .. f[2]
    end
  end
end
if all then
  local running = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. string.format('%.0f', now), '+inf', 'WITHSCORES')
  for i = 1, #running, 2 do wait[running[i]] = running[i + 1] end
end
local flat = {}
for batch, lease in pairs(wait) do
  flat[#flat + 1] = batch
  flat[#flat + 1] = lease
end
return {'OK', string.format('%.0f', now), words, flat}
