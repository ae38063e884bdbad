#!lua flags=allow-oom
-- Changes what operators want of a job: {state, ms since its submitter's last sign}, or nil where there is none.
-- KEYS state; ARGV 'state' and the new one | 'retries' | 'priority' and the new one | ''
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return false end
local now = redis.call('TIME')
local age = now[1] * 1000 + math.floor(now[2] / 1000) - tonumber(redis.call('HGET', KEYS[1], 'beat') or '0')
if ARGV[1] == 'retries' then
  redis.call('HINCRBY', KEYS[1], 'retries', 1)
elseif ARGV[1] == 'priority' then
  redis.call('HSET', KEYS[1], 'priority', ARGV[2])
elseif ARGV[1] == 'state' and (state == 'running' or state == 'paused') then
  redis.call('HSET', KEYS[1], 'state', ARGV[2])
  state = ARGV[2]
end
return {state, age}
