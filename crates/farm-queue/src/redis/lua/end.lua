#!lua flags=allow-oom
-- Ends a job but keeps its state readable: as cancelled or failed. 1 done, 0 no such job.
-- KEYS state, queue, and what else is removed...; ARGV state, lifetime ms, report or ''
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'state', ARGV[1])
if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], 'report', ARGV[3]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
for i = 2, #KEYS do redis.call('UNLINK', KEYS[i]) end
return 1
