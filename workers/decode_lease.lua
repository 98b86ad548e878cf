-- The decode lease in one atomic step: forget the dead, take or drop a ticket, let in whoever may come in.
-- KEYS: waiting (sorted set: ticket -> order), holding (hash: ticket -> engine), alive (sorted set: ticket -> time of
-- death in ms), about (hash: ticket -> "slots:engine"), counter.
-- ARGV: operation (take | beat | drop), ticket, engine, slots, time to live in ms.
-- Returns 0 when the ticket holds the lease, its place in the queue (1 is next), or -1 when it is not there.
local waiting, holding, alive, about, counter = unpack(KEYS)
local operation, ticket, engine, slots, ttl = unpack(ARGV)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function forget(name)
  redis.call('ZREM', waiting, name)
  redis.call('HDEL', holding, name)
  redis.call('ZREM', alive, name)
  redis.call('HDEL', about, name)
end

for _, name in ipairs(redis.call('ZRANGEBYSCORE', alive, '-inf', now)) do
  if name ~= ticket then
    forget(name)
  end
end

if operation == 'drop' then
  forget(ticket)
else
  local known = redis.call('HEXISTS', about, ticket) == 1
  if operation == 'take' and not known then
    redis.call('HSET', about, ticket, slots .. ':' .. engine)
    redis.call('ZADD', waiting, redis.call('INCR', counter), ticket)
    known = true
  end
  if known then
    redis.call('ZADD', alive, now + ttl, ticket)
  end
end

-- Strictly in order: a ticket for the engine that is decoding does not overtake one that waits for another engine.
local engines = redis.call('HVALS', holding)
local count, current = #engines, engines[1]
for _, name in ipairs(redis.call('ZRANGE', waiting, 0, -1)) do
  local room, wanted = string.match(redis.call('HGET', about, name), '^(%d+):(.*)$')
  if count > 0 and (wanted ~= current or count >= tonumber(room)) then
    break
  end
  redis.call('ZREM', waiting, name)
  redis.call('HSET', holding, name, wanted)
  current, count = wanted, count + 1
end

if redis.call('HEXISTS', holding, ticket) == 1 then
  return 0
end
local rank = redis.call('ZRANK', waiting, ticket)
return rank and rank + 1 or -1
