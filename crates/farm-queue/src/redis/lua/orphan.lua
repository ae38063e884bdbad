#!lua flags=allow-oom
-- A job needs an orbit no more: removed with its last one. Answers whether it was.
-- KEYS jobs that use it, its pieces; ARGV job
redis.call('SREM', KEYS[1], ARGV[1])
if redis.call('SCARD', KEYS[1]) > 0 then return 0 end
for _, key in ipairs(KEYS) do redis.call('UNLINK', key) end
return 1
