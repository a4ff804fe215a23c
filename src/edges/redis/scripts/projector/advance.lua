-- Raises a next offset that no record of this org has raised.   KEYS marker   ARGV epoch, field, next offset   -> OK
local refused = rebuild()
if refused then return refused end
if int(ARGV[3]) > int(redis.call('HGET', KEYS[1], ARGV[2]) or '-1') then redis.call('HSET', KEYS[1], ARGV[2], ARGV[3]) end
return {'OK'}
