#!lua flags=allow-oom
-- Takes over one strip whose lease ran out or that was given back: {entry, attempt, fields}, or nil.
-- A strip that was delivered too often is put to the dead letters on the way.
-- KEYS queue, dead, why, bits
-- ARGV group, consumer, lease ms, most deliveries, entry version, lifetime ms, released, failed
local queue, dead, why, bits = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
-- Bounded, so that a flood of dead strips does not hold up the server.
for _ = 1, 16 do
  local pending = redis.pcall('XPENDING', queue, ARGV[1], 'IDLE', ARGV[3], '-', '+', 1)
  if pending.err then return false end
  local p = pending[1]
  if not p then return false end
  local id, owner, count = p[1], p[2], p[4]
  -- Counts the delivery; an entry that is deleted is dropped from the pending ones here.
  local claimed = redis.call('XCLAIM', queue, ARGV[1], ARGV[2], ARGV[3], id)
  local entry = claimed[1]
  if entry then
    local strip
    for i = 1, #entry[2], 2 do
      if entry[2][i] == 's' then strip = entry[2][i + 1] end
    end
    if not strip or #strip > 9 or not string.match(strip, '^%d+$') then
      -- Malformed: the caller counts it and drops it.
      return {id, count + 1, entry[2]}
    end
    if owner ~= ARGV[7] and owner ~= ARGV[8] then
      local reasons = (redis.call('HGET', why, strip) or '') .. owner .. ': no heartbeat\n'
      redis.call('HSET', why, strip, reasons)
      redis.call('PEXPIRE', why, ARGV[6])
    end
    if count < tonumber(ARGV[4]) then
      return {id, count + 1, entry[2]}
    end
    if redis.call('GETBIT', bits, strip) == 0 then
      local reasons = redis.call('HGET', why, strip) or ''
      redis.call('XADD', dead, '*', 'v', ARGV[5], 's', strip, 'r', reasons)
      redis.call('PEXPIRE', dead, ARGV[6])
    end
    redis.call('HDEL', why, strip)
    redis.call('XACK', queue, ARGV[1], id)
    redis.call('XDEL', queue, id)
  end
end
return false
