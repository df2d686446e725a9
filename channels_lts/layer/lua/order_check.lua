-- Go on without frames that do not come, where others have waited for them for too long.
-- KEYS[1] hash  the socket's turn, KEYS[2] zset frames that wait: see order_enter.lua
-- ARGV[1] int now, ms   ARGV[2] int ms that a frame waits for one that is not being served
-- Returns {} where nothing waits, {1} where what waits must go on waiting, or {order of the first that did not come,
-- order of the one that has its turn now, that frame}.
local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
if not first[1] then
    return {}
end
local now = tonumber(ARGV[1])
local lease = tonumber(redis.call('HGET', KEYS[1], 'lease') or '0')
local moved = tonumber(redis.call('HGET', KEYS[1], 'moved') or '0')
local since = math.max(moved, tonumber(string.sub(first[1], 1, 13)))
if lease > now or since + ARGV[2] > now then
    return {1}
end
local missing = redis.call('HGET', KEYS[1], 'next') or '0'
redis.call('HSET', KEYS[1], 'next', first[2])
redis.call('HSET', KEYS[1], 'moved', ARGV[1])
redis.call('ZREM', KEYS[2], first[1])
return {tonumber(missing), tonumber(first[2]), string.sub(first[1], 14)}
