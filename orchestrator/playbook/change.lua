-- Changes an entry that is there: its fields, what is found of it and what it is worth. Returns whether it was there.
-- KEYS: entry, vectors, values, the topic's active entries. ARGV: id, attributes, value, seconds to live (0: for ever), then fields and values.
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
if #ARGV > 4 then
  redis.call('HSET', KEYS[1], unpack(ARGV, 5))
end
redis.call('VSETATTR', KEYS[2], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1])
local status = redis.call('HGET', KEYS[1], 'status')
redis.call((status == 'promoted' or status == 'candidate') and 'SADD' or 'SREM', KEYS[4], ARGV[1])
if tonumber(ARGV[4]) > 0 then
  redis.call('EXPIRE', KEYS[1], ARGV[4])
else
  redis.call('PERSIST', KEYS[1])
end
return 1
