-- The caller owns the partition from now on: every earlier token is refused.
-- KEYS marker, in flight   ARGV epoch, partition   -> OK, token, next presence offset or '', now, batch, end of lease, ...
local refused = use()
if refused then return refused end
local token = redis.call('HINCRBY', KEYS[1], 'o:' .. ARGV[2], 1)
local mine, all = {}, redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')
for i = 1, #all, 2 do
  if string.sub(all[i], 1, #ARGV[2] + 1) == ARGV[2] .. ':' then
    mine[#mine + 1] = all[i]
    mine[#mine + 1] = all[i + 1]
  end
end
return {'OK', tostring(token), redis.call('HGET', KEYS[1], 's:' .. ARGV[2]) or '', string.format('%.0f', clock()), mine}
