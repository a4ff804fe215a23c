-- What changed since a version: the tail of the log, or RELOAD if it does not reach back that far.
-- KEYS marker, log   ARGV epoch, version   -> OK, version, changes   or OK, version (reload)
local refused, version = use()
if refused then return refused end
local behind = version - int(ARGV[2])
if behind < 0 or behind > redis.call('LLEN', KEYS[2]) then return {'OK', version} end
if behind == 0 then return {'OK', version, {}} end
return {'OK', version, redis.call('LRANGE', KEYS[2], -behind, -1)}
