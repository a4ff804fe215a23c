-- KEYS marker, log   ARGV epoch, version   -> OK, current version, changes; without changes: reload
--
-- The changes since a version: the tail of the log, if the log reaches back that far.
local _, since = unpack(ARGV)
local refused, version = use()
if refused then return refused end
local behind = version - int(since)
if behind < 0 or behind > redis.call('LLEN', KEYS[2]) then return {ANSWER_OK, version} end
if behind == 0 then return {ANSWER_OK, version, {}} end
return {ANSWER_OK, version, redis.call('LRANGE', KEYS[2], -behind, -1)}
