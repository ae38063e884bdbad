#!lua
-- Queues strips: all of them or, when memory is short, none. -1: there is no such job.
-- Whatever was delivered for a slot before counts no more, unless what is queued is a copy of one under way.
-- KEYS queue, bits, got; ARGV entry version, then for each: slot, worker that may not have it or '', 1 for a copy or ''
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
local bits, got = redis.call('EXISTS', KEYS[2]) == 1, redis.call('EXISTS', KEYS[3]) == 1
for i = 2, #ARGV, 3 do
  local slot, refused, copy = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if refused == '' and copy == '' then
    redis.call('XADD', KEYS[1], '*', 'v', ARGV[1], 's', slot)
  else
    redis.call('XADD', KEYS[1], '*', 'v', ARGV[1], 's', slot, 'n', refused, 'x', copy)
  end
  if copy == '' then
    if bits then redis.call('SETBIT', KEYS[2], slot, 0) end
    if got then redis.call('SETBIT', KEYS[3], slot, 0) end
  end
end
return (#ARGV - 1) / 3
