-- Changes an entry that is there, and what is found of it and what it is worth by its status and counts as they are now.
-- KEYS: those of renew.lua, then entry, vectors, values. ARGV: those of renew.lua, then id, now, the attributes and the worth
-- without its win rate in each status (JSON), and the change (JSON), each part of which may be missing:
-- {"status" (with "from", those it may come from, and "anew": whether its evidence is dropped), "pinned", "definition"}
-- Returns the entry's fields and values, none where it is not there.
local entry, vectors, values = KEYS[LAST + 1], KEYS[LAST + 2], KEYS[LAST + 3]
if redis.call('EXISTS', entry) == 0 then
  return {}
end
local id, standing, change = ARGV[4], cjson.decode(ARGV[6]), cjson.decode(ARGV[7])
local status = redis.call('HGET', entry, 'status')
local function may_change()
  for _, from in ipairs(change.from) do
    if from == status then
      return true
    end
  end
  return false
end
if change.status and may_change() then
  status = change.status
  redis.call('HSET', entry, 'status', status, 'used', ARGV[5])
  if change.anew then
    for _, field in ipairs(redis.call('HKEYS', entry)) do
      if string.find(field, '^gain%d') or string.find(field, '^loss%d') or string.find(field, '^pool%d') then
        redis.call('HDEL', entry, field)
      end
    end
    redis.call('HSET', entry, 'wins', 0, 'trials', 0, 'tokens', 0, 'cost', 0, 'alone_wins', 0, 'alone_trials', 0,
      'edge', 0, 'compared', 0)
  end
end
if change.pinned then
  redis.call('HSET', entry, 'pinned', change.pinned, 'used', ARGV[5])
end
if change.definition then
  redis.call('HSET', entry, 'definition', change.definition)
end
-- What is taken back after the entry began anew leaves less than nothing.
local function counted(field)
  return math.max(0, tonumber(redis.call('HGET', entry, field)))
end
redis.call('VSETATTR', vectors, id, standing[status].attributes)
-- The mean of the Beta posterior, as Entry.win_rate has it.
redis.call('ZADD', values, standing[status].worth + (counted('wins') + 1) / (counted('trials') + 2), id)
set_active(entry, id)
set_pinned(entry, id)
renew()
return redis.call('HGETALL', entry)
