-- Adds what one run teaches to its topic and its entries, once: a second time only the difference to what the run added
-- before (a verdict that feedback turned) is applied.
-- KEYS: trial, topic. ARGV: what the run adds (JSON), seconds to keep the trial, seconds to live, now, the number of runs
-- an entry names, the prefix of entries' keys, and "1" where the entries have it already.
-- {"about": topic id, "topic": {field: amount}, "entries": [{"id", "add": {field: amount}, "floored": {field: amount}, "run": id or ""}]}
-- Returns 1 where something was added, 0 where the run has taught the same before.
local function each(amounts, factor, apply)
  for field, amount in pairs(amounts) do
    apply(field, tonumber(amount) * factor)
  end
end
local function add(update, factor)
  each(update.topic, factor, function(field, amount)
    redis.call('HINCRBYFLOAT', KEYS[2], field, string.format('%.12f', amount))
  end)
  for _, entry in ipairs(update.entries) do
    local key = ARGV[6] .. entry.id
    if ARGV[7] ~= '1' and redis.call('EXISTS', key) == 1 then
      each(entry.add, factor, function(field, amount)
        redis.call('HINCRBYFLOAT', key, field, string.format('%.12f', amount))
      end)
      each(entry.floored, factor, function(field, amount)
        local before = tonumber(redis.call('HGET', key, field) or '0')
        redis.call('HSET', key, field, string.format('%.12f', math.max(0, before + amount)))
      end)
      if factor > 0 then
        redis.call('HSET', key, 'used', ARGV[4])
        if entry.run ~= '' then
          local runs = cjson.decode(redis.call('HGET', key, 'provenance') or '[]')
          if runs[#runs] ~= entry.run then
            runs[#runs + 1] = entry.run
          end
          while #runs > tonumber(ARGV[5]) do
            table.remove(runs, 1)
          end
          redis.call('HSET', key, 'provenance', cjson.encode(runs))
        end
        if redis.call('HGET', key, 'pinned') ~= '1' then
          redis.call('EXPIRE', key, ARGV[3])
        end
      end
    end
  end
end
local before = redis.call('GET', KEYS[1])
if before == ARGV[1] then
  return 0
end
if before then
  add(cjson.decode(before), -1)
end
add(cjson.decode(ARGV[1]), 1)
redis.call('HSET', KEYS[2], 'used', ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[3])
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1
