-- Stores an entry whole, and evicts beyond the bound: what has expired, then what is worth least.
-- KEYS: those of renew.lua, then entry, vectors, values. ARGV: those of renew.lua, then id, vector, attributes, value, bound,
-- and the hash's fields and values. Returns the ids evicted.
local entry, vectors, values = KEYS[LAST + 1], KEYS[LAST + 2], KEYS[LAST + 3]
local id, bound = ARGV[4], tonumber(ARGV[8])
redis.call('DEL', entry)
redis.call('HSET', entry, unpack(ARGV, 9))
redis.call('VADD', vectors, 'FP32', ARGV[5], id, 'SETATTR', ARGV[6])
redis.call('ZADD', values, ARGV[7], id)
set_active(entry, id)
set_pinned(entry, id)
renew()
local evicted = {}
local excess = redis.call('ZCARD', values) - bound
local function evict(other)
  redis.call('DEL', ARGV[3] .. other)
  redis.call('VREM', vectors, other)
  redis.call('ZREM', values, other)
  evicted[#evicted + 1] = other
end
if excess > 0 then
  -- What has expired is worth nothing, whatever it was worth.
  for _, other in ipairs(redis.call('ZRANGE', values, 0, -1)) do
    if #evicted < excess and redis.call('EXISTS', ARGV[3] .. other) == 0 then
      evict(other)
    end
  end
  -- A few more than needed: the new one and pinned ones stay.
  for _, other in ipairs(redis.call('ZRANGE', values, 0, excess + 32)) do
    if #evicted < excess and other ~= id and redis.call('HGET', ARGV[3] .. other, 'pinned') ~= '1' then
      evict(other)
    end
  end
end
return evicted
