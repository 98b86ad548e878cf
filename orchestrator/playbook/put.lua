-- Stores an entry whole, and evicts what is worth least beyond the bound.
-- KEYS: entry, vectors, values, owners, the topic's active entries. ARGV: id, vector, attributes, value, bound, seconds to live, owner, prefix of
-- entries' keys, then the hash's fields and values. Returns the ids evicted.
local id, bound, ttl = ARGV[1], tonumber(ARGV[5]), tonumber(ARGV[6])
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 9))
redis.call('VADD', KEYS[2], 'FP32', ARGV[2], id, 'SETATTR', ARGV[3])
redis.call('ZADD', KEYS[3], ARGV[4], id)
redis.call('SADD', KEYS[4], ARGV[7])
local status = redis.call('HGET', KEYS[1], 'status')
redis.call((status == 'promoted' or status == 'candidate') and 'SADD' or 'SREM', KEYS[5], id)
redis.call('EXPIRE', KEYS[5], ttl)
if redis.call('HGET', KEYS[1], 'pinned') == '1' then
  redis.call('PERSIST', KEYS[1])
else
  redis.call('EXPIRE', KEYS[1], ttl)
end
local evicted = {}
local excess = redis.call('ZCARD', KEYS[3]) - bound
if excess > 0 then
  -- A few more than needed: the new one and pinned ones stay.
  for _, other in ipairs(redis.call('ZRANGE', KEYS[3], 0, excess + 32)) do
    local key = ARGV[8] .. other
    if #evicted < excess and other ~= id and redis.call('HGET', key, 'pinned') ~= '1' then
      redis.call('DEL', key)
      redis.call('VREM', KEYS[2], other)
      redis.call('ZREM', KEYS[3], other)
      evicted[#evicted + 1] = other
    end
  end
end
return evicted
