-- Stands before every script, behind the constants of layout.ts.
-- Where a script uses `use` or `rebuild`, KEYS[1] is the org's marker and ARGV[1] the epoch that the caller knows.
-- Such a script answers {ANSWER_OK, ...} or a refusal: LOST, EPOCH and the epoch, NOTREADY, FENCED. A refused script has done
-- nothing.
-- The marker is valid only while it names the Redis process that runs the script. So an emptied, restored or promoted Redis
-- refuses everything at once, for every client.
local function runId()
  return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
end

-- One time for the whole script, Unix ms. Stored times are compared with it: a key does not expire within a script.
local function clock()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function int(text) return tonumber(text) end

-- A whole number as text: Lua would write large ones with an exponent.
local function digits(n) return string.format('%.0f', n) end

-- For everything that a guarantee rests on: needs a complete projection, and with a partition its owner's fencing token.
-- Answers a refusal or nil, and the version.
local function use(partition, fencingToken)
  local m = redis.call('HMGET', KEYS[1], MARKER_EPOCH, MARKER_ATTESTED_RUN, MARKER_VERSION, MARKER_FENCING_TOKEN .. (partition or ''))
  if not m[1] then return {ANSWER_LOST} end
  if m[1] ~= ARGV[1] then return {ANSWER_EPOCH, m[1]} end
  if not m[2] or m[2] ~= runId() then return {ANSWER_NOT_READY} end
  if partition and m[4] ~= fencingToken then return {ANSWER_FENCED} end
  return nil, tonumber(m[3] or '0')
end

-- For the rebuild itself: needs only that this process was begun. A restored Redis can carry the same epoch and older offsets.
local function rebuild()
  local m = redis.call('HMGET', KEYS[1], MARKER_EPOCH, MARKER_BEGUN_RUN, MARKER_VERSION)
  if not m[1] then return {ANSWER_LOST} end
  if m[1] ~= ARGV[1] then return {ANSWER_EPOCH, m[1]} end
  if m[2] ~= runId() then return {ANSWER_LOST} end
  return nil, tonumber(m[3] or '0')
end

-- Raises a next offset of the marker, never lowers it.
local function raise(field, nextOffset)
  if int(nextOffset) > int(redis.call('HGET', KEYS[1], field) or '-1') then redis.call('HSET', KEYS[1], field, nextOffset) end
end

local CHANGES_MAX = 1024

-- Adds changes of pending tasks to the log, and raises the version by their number.
local function addChanges(log, changes)
  if #changes == 0 then return end
  redis.call('RPUSH', log, unpack(changes))
  redis.call('LTRIM', log, -CHANGES_MAX, -1)
  redis.call('HINCRBY', KEYS[1], MARKER_VERSION, #changes)
end

-- A delivery is 'state attempt at detail batch'. The detail of a sent one is the hash of its connection, of a failed one the error
-- code, of a removed one the offset of the UNTASK. The batch is the claim batch in flight, NO_BATCH once that is confirmed.
local function readDelivery(text)
  local state, attempt, at, detail, batch = string.match(text, '^(%a) (%d+) (%d+) (%S+) (%S+)$')
  return state, tonumber(attempt), tonumber(at), detail, batch
end

local function writeDelivery(state, attempt, at, detail, batch)
  return state .. ' ' .. attempt .. ' ' .. digits(at) .. ' ' .. detail .. ' ' .. batch
end

local function isAnswered(state) return state == DELIVERY_DONE or state == DELIVERY_FAILED end

local function isDoneWhenSent(connectionHash) return string.sub(connectionHash, 1, 1) == MARK_DONE_WHEN_SENT end
