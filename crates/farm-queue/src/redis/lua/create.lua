#!lua
-- Makes a job: its spec and its stream, both or, when memory is short, neither.
-- KEYS spec, queue; ARGV spec text, lifetime ms, group
redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
-- pcall: creating a job once more finds its group there.
redis.pcall('XGROUP', 'CREATE', KEYS[2], ARGV[3], '0', 'MKSTREAM')
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1
