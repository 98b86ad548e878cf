-- Stands before the scripts that use it. What is about a topic lives for `seconds` after the topic was last of use, its
-- promoted entries included, and an owner's indexes for as long after anything was; all of it without end where an entry
-- is pinned.
-- KEYS: the hash of pinned entries and their topics, the topic, its active entries, then the indexes: LAST in all, a script's
-- own keys come behind.
-- ARGV: the topic's id, seconds, the prefix of entries' keys.
local INDEXES, LAST = 4, 13
local function live(key, lasting)
  if lasting then
    redis.call('PERSIST', key)
  else
    redis.call('EXPIRE', key, ARGV[2])
  end
end
local function renew()
  local lasting = {}
  for _, topic in ipairs(redis.call('HVALS', KEYS[1])) do
    lasting[topic] = true
  end
  live(KEYS[2], lasting[ARGV[1]])
  live(KEYS[3], lasting[ARGV[1]])
  for index = INDEXES, LAST do
    live(KEYS[index], next(lasting) ~= nil)
  end
  for _, id in ipairs(redis.call('SMEMBERS', KEYS[3])) do
    local stored = redis.call('HMGET', ARGV[3] .. id, 'status', 'pinned')
    if stored[1] == 'promoted' then
      live(ARGV[3] .. id, stored[2] == '1')
    end
  end
end
local function set_pinned(entry, id)
  local pinned = redis.call('HGET', entry, 'pinned') == '1'
  if pinned then
    redis.call('HSET', KEYS[1], id, ARGV[1])
  else
    redis.call('HDEL', KEYS[1], id)
  end
  live(entry, pinned)
end
local function set_active(entry, id)
  local status = redis.call('HGET', entry, 'status')
  redis.call((status == 'promoted' or status == 'candidate') and 'SADD' or 'SREM', KEYS[3], id)
end
