-- Take channels of one process out of groups. The process itself says so: it needs no telling.
-- KEYS[2i-1] zset  a group   KEYS[2i] set  the process's members of it
-- ARGV[1] bytes process   ARGV[1+i] bytes channel that leaves group i
-- Returns how many of them were members.
local left = 0
for number = 1, #KEYS / 2 do
    left = left + redis.call('SREM', KEYS[2 * number], ARGV[1 + number])
    if redis.call('EXISTS', KEYS[2 * number]) == 0 then
        redis.call('ZREM', KEYS[2 * number - 1], ARGV[1])
    end
end
return left
