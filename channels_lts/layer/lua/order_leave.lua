-- End a frame's turn on its socket, and take those that wait and come next, in their order, as far as there is no gap.
-- KEYS[1] hash  the socket's turn, KEYS[2] zset frames that wait: see order_enter.lua
-- ARGV[1] int order   ARGV[2] int now, ms   ARGV[3] int how many to take at most   ARGV[4] '1' where the socket has ended
-- Returns the frames.
local taken = {}
if ARGV[4] == '1' then
    redis.call('DEL', KEYS[1], KEYS[2])
    return taken
end
local order = tonumber(ARGV[1])
if order ~= tonumber(redis.call('HGET', KEYS[1], 'next') or '0') then
    -- It took so long that others went on without it.
    return taken
end
redis.call('HSET', KEYS[1], 'next', order + 1)
redis.call('HSET', KEYS[1], 'moved', ARGV[2])
redis.call('HDEL', KEYS[1], 'lease')
local waiting = redis.call('ZRANGE', KEYS[2], 0, ARGV[3] - 1, 'WITHSCORES')
for number = 1, #waiting, 2 do
    if tonumber(waiting[number + 1]) ~= order + 1 + #taken then
        break
    end
    redis.call('ZREM', KEYS[2], waiting[number])
    taken[#taken + 1] = string.sub(waiting[number], 14)
end
return taken
