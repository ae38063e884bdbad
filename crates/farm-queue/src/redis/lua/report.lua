#!lua flags=allow-oom
-- The submitter's sign of life: {state, retries asked for, priority}, or nil where there is no such job.
-- KEYS state, queue; ARGV report
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return false end
-- Cancelled jobs have no stream; of others it means that the server lost it.
if redis.call('EXISTS', KEYS[2]) == 0 and state ~= 'cancelled' then return false end
local now = redis.call('TIME')
redis.call('HSET', KEYS[1], 'report', ARGV[1], 'beat', now[1] * 1000 + math.floor(now[2] / 1000))
return {state, redis.call('HGET', KEYS[1], 'retries') or '0', redis.call('HGET', KEYS[1], 'priority') or '1'}
