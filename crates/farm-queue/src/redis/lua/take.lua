#!lua flags=allow-oom
-- Removes collected buffers, their announcements and what was said of them, and remembers that they were collected.
-- KEYS got, done, why, results...; ARGV lifetime ms, then slot and announcement for each result
for i = 4, #KEYS do
  local at = 2 * (i - 4) + 2
  redis.call('SETBIT', KEYS[1], ARGV[at], 1)
  redis.call('UNLINK', KEYS[i])
  redis.call('XDEL', KEYS[2], ARGV[at + 1])
  redis.call('HDEL', KEYS[3], ARGV[at])
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
