#!lua
-- Queues strips: all of them or, when memory is short, none. -1: there is no such job.
-- KEYS queue; ARGV entry version, strips...
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
for i = 2, #ARGV do
  redis.call('XADD', KEYS[1], '*', 'v', ARGV[1], 's', ARGV[i])
end
return #ARGV - 1
