#!lua flags=allow-oom
-- Removes collected buffers and their announcements, and remembers that they were collected.
-- KEYS got, done, results...; ARGV lifetime ms, then strip and announcement for each result
for i = 3, #KEYS do
  local at = 2 * (i - 3) + 2
  redis.call('SETBIT', KEYS[1], ARGV[at], 1)
  redis.call('UNLINK', KEYS[i])
  redis.call('XDEL', KEYS[2], ARGV[at + 1])
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
