#!lua flags=allow-oom
-- Gives a strip back at once after a failure that counts, if it still is the caller's; after too many
-- it is put to the dead letters.
-- KEYS queue, dead, why, bits
-- ARGV group, consumer, entry, attempt, new owner, idle ms, channel, message,
--      strip, reason, most deliveries, entry version, longest lifetime ms
local queue, dead, why, bits = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local pending = redis.pcall('XPENDING', queue, ARGV[1], ARGV[3], ARGV[3], 1)
if pending.err then return 0 end
local p = pending[1]
if not p or p[2] ~= ARGV[2] or p[4] ~= tonumber(ARGV[4]) then return 0 end
-- Nothing of a job is to outlive the job.
local lifetime = redis.call('PTTL', queue)
if lifetime < 0 or lifetime > tonumber(ARGV[13]) then lifetime = ARGV[13] end
local reasons = (redis.call('HGET', why, ARGV[9]) or '') .. ARGV[10] .. '\n'
if p[4] < tonumber(ARGV[11]) then
  redis.call('HSET', why, ARGV[9], reasons)
  redis.call('PEXPIRE', why, lifetime)
  redis.call('XCLAIM', queue, ARGV[1], ARGV[5], 0, ARGV[3],
    'IDLE', ARGV[6], 'RETRYCOUNT', p[4], 'JUSTID')
  redis.call('PUBLISH', ARGV[7], ARGV[8])
  return 1
end
if redis.call('GETBIT', bits, ARGV[9]) == 0 then
  redis.call('XADD', dead, '*', 'v', ARGV[12], 's', ARGV[9], 'r', reasons)
  redis.call('PEXPIRE', dead, lifetime)
end
redis.call('HDEL', why, ARGV[9])
redis.call('XACK', queue, ARGV[1], ARGV[3])
redis.call('XDEL', queue, ARGV[3])
return 2
