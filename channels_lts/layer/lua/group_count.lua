-- Count the members of a group, as far as this Redis knows them.
-- KEYS[1] zset  the group
-- ARGV[1] float now, seconds   ARGV[2] bytes prefix of processes' signs of life   ARGV[3] of processes' members of this group
-- The keys of the processes are made from what the group holds, so they cannot come in KEYS.
-- Returns the number.
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
local count = 0
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    if string.sub(member, -1) ~= '!' then
        count = count + 1
    elseif redis.call('EXISTS', ARGV[2] .. member) == 1 then
        count = count + redis.call('SCARD', ARGV[3] .. member)
    end
end
return count
