#!lua flags=allow-oom
-- Forgets a consumer, unless it still holds strips: deleting it then would lose them for good.
-- KEYS queue; ARGV group, consumer
local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2])
if pending.err or #pending > 0 then return 0 end
redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
return 1
