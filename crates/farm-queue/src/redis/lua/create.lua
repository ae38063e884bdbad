#!lua
-- Makes a job, or what the server lost of it: its spec, its stream and its state, all or, when memory is short,
-- none. Answers with its state and its priority. A job that was cancelled or failed is taken up again, unless
-- the caller only repairs.
-- KEYS spec, queue, state; ARGV spec text, lifetime ms, group, priority, state if it has none, 1 to repair only
local state = redis.call('HGET', KEYS[3], 'state')
local ended = state == 'cancelled' or state == 'failed'
if ended and ARGV[6] == '1' then return {state, redis.call('HGET', KEYS[3], 'priority') or ARGV[4]} end
redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
-- pcall: creating a job once more finds its group there.
redis.pcall('XGROUP', 'CREATE', KEYS[2], ARGV[3], '0', 'MKSTREAM')
redis.call('PEXPIRE', KEYS[2], ARGV[2])
if not state or ended then
  state = ARGV[5]
  local now = redis.call('TIME')
  local ms = now[1] * 1000 + math.floor(now[2] / 1000)
  redis.call('HSET', KEYS[3], 'state', state, 'beat', ms)
  redis.call('HSETNX', KEYS[3], 'created', ms)
  redis.call('HSETNX', KEYS[3], 'priority', ARGV[4])
end
redis.call('PEXPIRE', KEYS[3], ARGV[2])
return {state, redis.call('HGET', KEYS[3], 'priority') or ARGV[4]}
