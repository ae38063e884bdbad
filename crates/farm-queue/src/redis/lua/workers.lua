#!lua flags=allow-oom
-- How many workers are alive, by the server's own clock.
-- KEYS workers
local now = redis.call('TIME')
return redis.call('ZCOUNT', KEYS[1], now[1] * 1000 + math.floor(now[2] / 1000), '+inf')
