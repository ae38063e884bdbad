#!lua flags=allow-oom
-- Keeps a lease alive, if it still is the caller's: 1 held, 0 lost, -1 no such job.
-- Unguarded, XCLAIM would take the strip back from whoever has it by now.
-- KEYS queue, bits; ARGV group, consumer, entry, attempt, slot
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1)
if pending.err then return -1 end
local p = pending[1]
if not p or p[2] ~= ARGV[2] or p[4] ~= tonumber(ARGV[4]) then return 0 end
if redis.call('GETBIT', KEYS[2], ARGV[5]) == 1 then
  -- Another copy of the strip was delivered: nobody waits for this one.
  redis.call('XACK', KEYS[1], ARGV[1], ARGV[3])
  redis.call('XDEL', KEYS[1], ARGV[3])
  return 0
end
-- JUSTID: the delivery is not counted again.
return #redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[3], 'JUSTID')
