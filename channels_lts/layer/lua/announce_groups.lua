-- Say which members a process has, in some of its groups.
-- KEYS[2i-1] zset  a group   KEYS[2i] set  the process's members of it
-- ARGV[1] bytes process   ARGV[2] float when the memberships expire   ARGV[3] int seconds that a group lives
-- ARGV[4..] for each group: int count, then count channels (bytes)
-- Returns the number of groups.
local argument = 4
for number = 1, #KEYS / 2 do
    local group, members = KEYS[2 * number - 1], KEYS[2 * number]
    local count = tonumber(ARGV[argument])
    redis.call('ZADD', group, ARGV[2], ARGV[1])
    redis.call('EXPIRE', group, ARGV[3])
    if count > 0 then
        redis.call('SADD', members, unpack(ARGV, argument + 1, argument + count))
    end
    redis.call('EXPIRE', members, ARGV[3])
    argument = argument + 1 + count
end
return #KEYS / 2
