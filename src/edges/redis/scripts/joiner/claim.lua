-- Takes the right to send, pair by pair. The last word on every dispatch: the task is pending and has time left, the pair is
-- not settled, no attempt is outstanding.
-- KEYS marker, in flight, record per task
-- ARGV epoch, partition, token, lease ms, margin ms, first backoff ms, longest ms, batch, then per task: 'sid tag sid tag ...'
-- -> OK, version, now, then per task: G (gone), or words: cN claimed attempt N · kN the same, and an earlier claim of it was never confirmed · wT waits until T · x settled
local refused, version = use(ARGV[2], ARGV[3])
if refused then return refused end
local now = clock()
local lease, margin, first, longest, batch = int(ARGV[4]), int(ARGV[5]), int(ARGV[6]), int(ARGV[7]), ARGV[8]
local ends, out, claimed = {}, {}, false

local function leaseOf(name)
  if name == '-' then return nil end
  if ends[name] == nil then ends[name] = int(redis.call('ZSCORE', KEYS[2], name) or '0') end
  return ends[name] > 0 and ends[name] or nil
end

-- Answers a word, and the attempt to claim if it is to be claimed.
local function decide(text, tag)
  if not text then return 'c1', 1 end
  local state, attempt, at, extra, owner = readPair(text)
  if state ~= 's' then return 'x' end
  local running = leaseOf(owner)
  if running and running > now then return 'w' .. string.format('%.0f', running) end
  if running and attempt > 0 then return 'k' .. attempt, attempt end -- its claimer may have died before the produce
  -- Produced, perhaps, and its TASK_DONE too: it is said again under the same id, never under another.
  if doneWhenSent(extra) and owner ~= '-' and attempt > 0 then return 'k' .. attempt, attempt end
  local due = at + math.min(first * 2 ^ math.min(attempt - 1, 30), longest)
  if extra == tag and due > now then return 'w' .. string.format('%.0f', due) end
  return 'c' .. (attempt + 1), attempt + 1
end

for k = 3, #KEYS do
  local head = redis.call('HMGET', KEYS[k], '=s', '=x')
  if head[1] ~= 'p' or int(head[2]) - now <= margin then
    out[k - 2] = 'G'
  else
    local sids, tags = {}, {}
    for sid, tag in string.gmatch(ARGV[k + 6], '(%S+) (%S+)') do
      sids[#sids + 1] = sid
      tags[#tags + 1] = tag
    end
    local old, words, set = redis.call('HMGET', KEYS[k], unpack(sids)), {}, {}
    for i = 1, #sids do
      local word, attempt = decide(old[i], tags[i])
      words[i] = word
      if attempt then
        set[#set + 1] = sids[i]
        set[#set + 1] = writePair('s', attempt, now, tags[i], batch)
      end
    end
    if #set > 0 then
      redis.call('HSET', KEYS[k], unpack(set))
      claimed = true
    end
    out[k - 2] = table.concat(words, ' ')
  end
end
if claimed then redis.call('ZADD', KEYS[2], string.format('%.0f', now + lease), batch) end
return {'OK', version, string.format('%.0f', now), out}
