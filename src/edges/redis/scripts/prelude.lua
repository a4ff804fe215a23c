-- Stands before every script. KEYS[1] is the org's marker, ARGV[1] the epoch that the caller knows.
-- A script answers {'OK', ...} or a word that says why nothing was done: LOST, EPOCH e, NOTREADY, FENCED.
-- The marker is valid only while it names the Redis process that runs the script: an emptied, restored or promoted Redis
-- refuses everything at once, for every client.
local function runId()
  return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
end

-- One instant a script, Unix ms. Stored times are compared with it; key expiry inside a script is never relied on.
local function clock()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- For everything that a promise rests on: needs a complete projection. Answers refusal or nil, and the change counter.
local function use(partition, token)
  local m = redis.call('HMGET', KEYS[1], 'e', 'r', 'v', 'o:' .. (partition or ''))
  if not m[1] then return {'LOST'} end
  if m[1] ~= ARGV[1] then return {'EPOCH', m[1]} end
  if not m[2] or m[2] ~= runId() then return {'NOTREADY'} end
  if partition and m[4] ~= token then return {'FENCED'} end
  return nil, tonumber(m[3] or '0')
end

-- For the rebuild itself: needs only that this process was begun. A restored Redis can carry the same epoch and older offsets.
local function rebuild()
  local m = redis.call('HMGET', KEYS[1], 'e', 'g', 'v')
  if not m[1] then return {'LOST'} end
  if m[1] ~= ARGV[1] then return {'EPOCH', m[1]} end
  if m[2] ~= runId() then return {'LOST'} end
  return nil, tonumber(m[3] or '0')
end

-- A pair is 'state attempt at extra batch': s sent (extra: tag of the connection), d done, f failed (error code),
-- r removed (offset of the UNTASK). The batch is '-' once confirmed. A tag that begins with '!' marks what is done when sent.
local function readPair(text)
  local state, attempt, at, extra, batch = string.match(text, '^(%a) (%d+) (%d+) (%S+) (%S+)$')
  return state, tonumber(attempt), tonumber(at), extra, batch
end

local function writePair(state, attempt, at, extra, batch)
  return state .. ' ' .. attempt .. ' ' .. string.format('%.0f', at) .. ' ' .. extra .. ' ' .. batch
end

local function doneWhenSent(tag) return string.sub(tag, 1, 1) == '!' end

local function int(text) return tonumber(text) end
