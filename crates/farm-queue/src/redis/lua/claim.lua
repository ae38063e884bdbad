#!lua flags=allow-oom
-- Takes over one strip whose lease ran out or that was given back: {entry, attempt, fields}, or nil.
-- A strip that was delivered too often is put to the dead letters on the way.
-- KEYS queue, dead, why, bits
-- ARGV group, consumer, lease ms, most deliveries, entry version, longest lifetime ms, released, failed, worker's name,
-- then for each entry that the caller leaves to others: its name, and until how many deliveries
local queue, dead, why, bits = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local function field(fields, name)
  for i = 1, #fields, 2 do
    if fields[i] == name then return fields[i + 1] end
  end
end
local passed = {}
for i = 10, #ARGV, 2 do passed[ARGV[i]] = tonumber(ARGV[i + 1]) end
-- Bounded, so that a flood of dead strips does not hold up the server.
local pending = redis.pcall('XPENDING', queue, ARGV[1], 'IDLE', ARGV[3], '-', '+', 32)
if pending.err then return false end
-- Nothing of a job is to outlive the job.
local lifetime = redis.call('PTTL', queue)
if lifetime < 0 or lifetime > tonumber(ARGV[6]) then lifetime = ARGV[6] end
for _, p in ipairs(pending) do
  local id, owner, count = p[1], p[2], p[4]
  local lying = redis.call('XRANGE', queue, id, id)[1]
  if not lying then
    -- Deleted meanwhile: nobody waits for it.
    redis.call('XACK', queue, ARGV[1], id)
  elseif field(lying[2], 'n') ~= ARGV[9] and count >= (passed[id] or 0) then
    -- Counts the delivery.
    redis.call('XCLAIM', queue, ARGV[1], ARGV[2], ARGV[3], id)
    local slot = field(lying[2], 's')
    if not slot or #slot > 9 or not string.match(slot, '^%d+$') then
      -- Malformed: the caller counts it and drops it.
      return {id, count + 1, lying[2]}
    end
    if redis.call('GETBIT', bits, slot) == 1 then
      -- Another copy of it was delivered.
      redis.call('XACK', queue, ARGV[1], id)
      redis.call('XDEL', queue, id)
    else
      if owner ~= ARGV[7] and owner ~= ARGV[8] then
        local reasons = (redis.call('HGET', why, slot) or '') .. owner .. ': no heartbeat\n'
        redis.call('HSET', why, slot, reasons)
        redis.call('PEXPIRE', why, lifetime)
      end
      if count < tonumber(ARGV[4]) then
        return {id, count + 1, lying[2]}
      end
      local reasons = redis.call('HGET', why, slot) or ''
      redis.call('XADD', dead, '*', 'v', ARGV[5], 's', slot, 'r', reasons)
      redis.call('PEXPIRE', dead, lifetime)
      redis.call('HDEL', why, slot)
      redis.call('XACK', queue, ARGV[1], id)
      redis.call('XDEL', queue, id)
    end
  end
end
return false
