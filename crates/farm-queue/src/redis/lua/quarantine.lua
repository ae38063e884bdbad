#!lua flags=allow-oom
-- Puts a worker into quarantine, each time twice as long: until when, in ms. One that is in it already stays as long
-- as it would have.
-- KEYS quarantine; ARGV worker, reason, first ms, longest ms, ms after which it is forgotten
local now = redis.call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
local strikes, till = 0, 0
local record = redis.call('HGET', KEYS[1], ARGV[1])
if record then
  local u, s = string.match(record, '^(%d+) (%d+) ')
  till, strikes = tonumber(u or '0'), tonumber(s or '0')
end
if till > ms then return till end
if ms - till > tonumber(ARGV[5]) then strikes = 0 end
till = ms + math.min(ARGV[3] * 2 ^ math.min(strikes, 30), tonumber(ARGV[4]))
-- Bounded: what is long over goes when there are many.
if redis.call('HLEN', KEYS[1]) > 1024 then redis.call('UNLINK', KEYS[1]) end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d %d %s', till, strikes + 1, ARGV[2]))
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return till
