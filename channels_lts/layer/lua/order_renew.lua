-- Say that whoever has the turn on a socket is still at work.
-- KEYS[1] hash  the socket's turn: see order_enter.lua
-- ARGV[1] int order   ARGV[2] int ms, until when it counts as alive
-- Returns 1, or 0: it is another's turn.
if tonumber(redis.call('HGET', KEYS[1], 'next') or '0') ~= tonumber(ARGV[1]) then
    return 0
end
redis.call('HSET', KEYS[1], 'lease', ARGV[2])
return 1
