#!lua flags=allow-oom
-- Marks, announces and acknowledges a strip whose buffer was stored before: 1 first, 0 duplicate,
-- -1 no such job, -2 no buffer (nothing is acknowledged then).
-- It writes some bytes even when memory is short: what it acknowledges frees more.
-- KEYS queue, result, bits, got, done; ARGV group, entry, strip, entry version, longest lifetime ms
local queue, result, bits, got, done = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
if redis.call('EXISTS', queue) == 0 then
  redis.call('UNLINK', result)
  return -1
end
-- Nothing of a job is to outlive the job.
local lifetime = redis.call('PTTL', queue)
if lifetime < 0 or lifetime > tonumber(ARGV[5]) then lifetime = ARGV[5] end
local first = redis.call('GETBIT', bits, ARGV[3]) == 0
if first then
  if redis.call('EXISTS', result) == 0 then return -2 end
  redis.call('SETBIT', bits, ARGV[3], 1)
  redis.call('XADD', done, '*', 'v', ARGV[4], 's', ARGV[3])
  for _, key in ipairs({bits, done, result}) do redis.call('PEXPIRE', key, lifetime) end
elseif redis.call('GETBIT', got, ARGV[3]) == 1 then
  -- The first buffer was collected, so what lies there now is the late one.
  redis.call('UNLINK', result)
end
redis.pcall('XACK', queue, ARGV[1], ARGV[2])
redis.call('XDEL', queue, ARGV[2])
return first and 1 or 0
