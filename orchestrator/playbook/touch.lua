-- A topic was of use. KEYS and ARGV are those of renew.lua.
renew()
