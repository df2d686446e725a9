-- Ask whether it is a frame's turn on its socket; where it is not, keep the frame until it is.
-- KEYS[1] hash  the socket's turn: 'next' (order), 'lease' (ms, until when whoever has the turn counts as alive), 'moved' (ms)
-- KEYS[2] zset  frames that wait, by their order: 13 digits of the time (ms) at which each came, then the frame
-- ARGV[1] int order   ARGV[2] int now, ms   ARGV[3] int ms of a lease   ARGV[4] int seconds that all this lives
-- ARGV[5] '1' where the socket begins   ARGV[6] bytes frame to keep, or empty: keep nothing
-- Returns 'run', 'wait', or 'late': those after it had their turn already.
if ARGV[5] == '1' then
    redis.call('DEL', KEYS[1], KEYS[2])
end
local order = tonumber(ARGV[1])
local next = tonumber(redis.call('HGET', KEYS[1], 'next') or '0')
if order < next then
    return 'late'
end
if order == next then
    redis.call('HSET', KEYS[1], 'lease', string.format('%.0f', ARGV[2] + ARGV[3]))
    redis.call('EXPIRE', KEYS[1], ARGV[4])
    return 'run'
end
if ARGV[6] ~= '' then
    redis.call('ZADD', KEYS[2], order, ARGV[2] .. ARGV[6])
    redis.call('EXPIRE', KEYS[2], ARGV[4])
end
return 'wait'
