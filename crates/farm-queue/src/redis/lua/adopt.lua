#!lua flags=allow-oom
-- Finds a strip that was leased to the caller in an answer that never arrived: {entry, attempt, fields},
-- or nil. The delivery that got lost on the way is the one that counts.
-- KEYS queue; ARGV group, consumer, entries that the caller knows of...
local known = {}
for i = 3, #ARGV do known[ARGV[i]] = true end
local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1], '-', '+', 64, ARGV[2])
if pending.err then return false end
for _, p in ipairs(pending) do
  if not known[p[1]] then
    local claimed = redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, p[1], 'RETRYCOUNT', p[4])
    if claimed[1] then return {p[1], p[4], claimed[1][2]} end
  end
end
return false
