-- Say which members a process has, in some of its groups.
-- KEYS[2i-1] zset  a group   KEYS[2i] set  the process's members of it
-- ARGV[1] bytes process   ARGV[2] float when the memberships expire   ARGV[3] int seconds that a group lives
-- ARGV[4] int 1: only where the set is lost; who has just left, and is not yet known to have, must not come back
-- ARGV[5..] for each group: int number of its members in earlier calls, int count, then count channels (bytes)
-- Returns the number of groups.
local argument = 5
for number = 1, #KEYS / 2 do
    local group, members = KEYS[2 * number - 1], KEYS[2 * number]
    local earlier, count = tonumber(ARGV[argument]), tonumber(ARGV[argument + 1])
    redis.call('ZADD', group, ARGV[2], ARGV[1])
    redis.call('EXPIRE', group, ARGV[3])
    if count > 0 and (ARGV[4] == '0' or redis.call('SCARD', members) <= earlier) then
        redis.call('SADD', members, unpack(ARGV, argument + 2, argument + 1 + count))
    end
    redis.call('EXPIRE', members, ARGV[3])
    argument = argument + 2 + count
end
return #KEYS / 2
