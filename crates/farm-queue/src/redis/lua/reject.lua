#!lua flags=allow-oom
-- Throws away a buffer that cannot be used, so that the strip may be committed again.
-- KEYS bits, got, done, result; ARGV strip, announcement
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('SETBIT', KEYS[1], ARGV[1], 0) end
if redis.call('EXISTS', KEYS[2]) == 1 then redis.call('SETBIT', KEYS[2], ARGV[1], 0) end
redis.call('UNLINK', KEYS[4])
redis.call('XDEL', KEYS[3], ARGV[2])
return 1
