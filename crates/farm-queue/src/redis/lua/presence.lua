#!lua flags=allow-oom
-- Notes that a worker is alive, by the server's own clock.
-- KEYS workers; ARGV worker, lifetime ms. Answers with the time, in ms, and how many workers are alive.
local now = redis.call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ms)
redis.call('ZADD', KEYS[1], ms + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {ms, redis.call('ZCARD', KEYS[1])}
