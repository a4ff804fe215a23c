-- KEYS counter   ARGV window ms   -> requests in this window, ms until it ends
--
-- Counts a request in a window that begins with the first one.
local window = unpack(ARGV)
local requests = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  left = int(window)
  redis.call('PEXPIRE', KEYS[1], left)
end
return {requests, left}
