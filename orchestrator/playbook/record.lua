-- Adds what one run teaches to its topic and its entries, once: a second time only the difference to what the run added
-- before (a verdict that feedback turned) is applied. With nothing to add, what it added is taken back and forgotten.
-- KEYS: those of renew.lua, then trial. ARGV: those of renew.lua, then what the run adds (JSON or empty), seconds to keep the
-- trial, now, the number of runs an entry names, and "1" where the entries have it already.
-- {"about": topic id, "topic": {field: amount}, "entries": [{"id", "add": {field: amount}, "floored": {field: amount}, "run": id or ""}],
-- "sealed": true where the entries have it and nobody knows any more how much it was}
-- Returns 1 where something was added or taken back, 0 where the run has taught the same before.
local topic, trial = KEYS[2], KEYS[LAST + 1]
local function each(amounts, factor, apply)
  for field, amount in pairs(amounts) do
    apply(field, tonumber(amount) * factor)
  end
end
local function set_runs(key, change)
  local runs = change(cjson.decode(redis.call('HGET', key, 'provenance') or '[]'))
  -- An empty table would become an object.
  redis.call('HSET', key, 'provenance', #runs > 0 and cjson.encode(runs) or '[]')
end
local function without(run)
  return function(runs)
    local others = {}
    for _, other in ipairs(runs) do
      if other ~= run then
        others[#others + 1] = other
      end
    end
    return others
  end
end
local function with(run)
  return function(runs)
    local named = without(run)(runs)
    named[#named + 1] = run
    while #named > tonumber(ARGV[7]) do
      table.remove(named, 1)
    end
    return named
  end
end
local function add(update, factor)
  if factor > 0 or redis.call('EXISTS', topic) == 1 then
    each(update.topic, factor, function(field, amount)
      redis.call('HINCRBYFLOAT', topic, field, string.format('%.12f', amount))
    end)
  end
  for _, entry in ipairs(update.entries) do
    local key = ARGV[3] .. entry.id
    if ARGV[8] ~= '1' and redis.call('EXISTS', key) == 1 then
      each(entry.add, factor, function(field, amount)
        redis.call('HINCRBYFLOAT', key, field, string.format('%.12f', amount))
      end)
      each(entry.floored, factor, function(field, amount)
        local before = tonumber(redis.call('HGET', key, field) or '0')
        redis.call('HSET', key, field, string.format('%.12f', math.max(0, before + amount)))
      end)
      if factor > 0 then
        redis.call('HSET', key, 'used', ARGV[6])
        if entry.run ~= '' then
          set_runs(key, with(entry.run))
        end
        live(key, redis.call('HGET', key, 'pinned') == '1')
      elseif ARGV[4] == '' then
        set_runs(key, without(entry.run))
      end
    end
  end
end
local stored = redis.call('GET', trial)
local before = stored and cjson.decode(stored)
if ARGV[4] == '' then
  if before then
    add(before, -1)
    redis.call('DEL', trial)
  end
  return before and 1 or 0
end
if stored == ARGV[4] or before and before.sealed then
  return 0
end
if before then
  add(before, -1)
end
add(cjson.decode(ARGV[4]), 1)
redis.call('HSET', topic, 'used', ARGV[6])
redis.call('SET', trial, ARGV[4], 'EX', ARGV[5])
renew()
return 1
