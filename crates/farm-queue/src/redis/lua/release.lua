#!lua flags=allow-oom
-- Gives a strip back at once and uncounted, if it still is the caller's.
-- KEYS queue; ARGV group, consumer, entry, attempt, new owner, idle ms, channel, message
local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1)
if pending.err then return 0 end
local p = pending[1]
if not p or p[2] ~= ARGV[2] or p[4] ~= tonumber(ARGV[4]) then return 0 end
redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[5], 0, ARGV[3],
  'IDLE', ARGV[6], 'RETRYCOUNT', p[4] - 1, 'JUSTID')
redis.call('PUBLISH', ARGV[7], ARGV[8])
return 1
