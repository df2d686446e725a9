-- Write those values of a socket's session that changed, unless the socket has ended.
-- KEYS[1] hash  the session: 'name', 'ended', and '=' before the name of each value
-- ARGV[1] int seconds that it lives   ARGV[2] bytes name for a new session   ARGV[3] '1' where the socket begins
-- ARGV[4] int count of changed values, then for each: its name, its value; the rest: names of removed values
-- Returns the name of the session, or false: the socket has ended, and nothing was written.
if redis.call('HEXISTS', KEYS[1], 'ended') == 1 then
    if ARGV[3] ~= '1' then
        return false
    end
    redis.call('DEL', KEYS[1])
end
redis.call('HSETNX', KEYS[1], 'name', ARGV[2])
local last = 4 + 2 * tonumber(ARGV[4])
if last > 4 then
    redis.call('HMSET', KEYS[1], unpack(ARGV, 5, last))
end
if #ARGV > last then
    redis.call('HDEL', KEYS[1], unpack(ARGV, last + 1))
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return redis.call('HGET', KEYS[1], 'name')
