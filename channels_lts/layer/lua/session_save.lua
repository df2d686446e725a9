-- Write those values of a socket's session that changed, unless the socket has ended.
-- KEYS[1] hash  the session: 'name', 'ended', and '=' before the name of each value
-- KEYS[2] list  queue of the socket's process, where it keeps a copy; with it, two arguments come before all others:
--               int seconds that a queue lives, bytes item that tells the process
-- ARGV[1] int seconds that it lives   ARGV[2] bytes name for a new session   ARGV[3] '1' where the socket begins
-- ARGV[4] int count of changed values, then for each: its name, its value; the rest: names of removed values
-- Returns the name of the session, or false: the socket has ended, and nothing was written.
local first = #KEYS == 2 and 3 or 1
if redis.call('HEXISTS', KEYS[1], 'ended') == 1 then
    if ARGV[first + 2] ~= '1' then
        return false
    end
    redis.call('DEL', KEYS[1])
end
redis.call('HSETNX', KEYS[1], 'name', ARGV[first + 1])
local values = first + 4
local last = values + 2 * tonumber(ARGV[first + 3]) - 1
if last >= values then
    redis.call('HMSET', KEYS[1], unpack(ARGV, values, last))
end
if #ARGV > last then
    redis.call('HDEL', KEYS[1], unpack(ARGV, last + 1))
end
redis.call('EXPIRE', KEYS[1], ARGV[first])
if KEYS[2] then
    redis.call('RPUSH', KEYS[2], ARGV[2])
    redis.call('EXPIRE', KEYS[2], ARGV[1])
end
return redis.call('HGET', KEYS[1], 'name')
