-- KEYS marker   ARGV epoch, field, next offset   -> OK
--
-- Raises a next offset past records that are not of this org.
local _, field, nextOffset = unpack(ARGV, 1, 3)
local refused = rebuild()
if refused then return refused end
raise(field, nextOffset)
return {ANSWER_OK}
