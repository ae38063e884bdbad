#!lua flags=allow-oom
-- Whether a worker may have strips of a job that only so many may have: 1 yes, 0 no.
-- A worker's place is its own until it shows no sign of life, by the server's clock, for its lifetime.
-- KEYS crew, queue; ARGV worker, most workers, lifetime ms
if redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
local now = redis.call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ms)
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
  return 0
end
redis.call('ZADD', KEYS[1], ms + ARGV[3], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
