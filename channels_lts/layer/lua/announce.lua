-- Say that a process lives.
-- KEYS[1] string  its sign of life
-- ARGV[1] bytes value: capacity of its queue, a space, a name of this announcer   ARGV[2] int milliseconds that it counts
-- Returns 1 where the sign was there and its own, else 0: then Redis has forgotten its groups, or never knew them.
local before = redis.call('GET', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if before == ARGV[1] then
    return 1
end
return 0
