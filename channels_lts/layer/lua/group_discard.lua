-- Take a channel of a process out of a group: tell the process, by its own queue, and note it for all others.
-- KEYS[1] list  queue of the process   KEYS[2] zset  the group   KEYS[3] set  the process's members
-- ARGV[1] bytes control item   ARGV[2] bytes process   ARGV[3] bytes channel   ARGV[4] int seconds that a queue lives
-- The process is told even where the set has no such member: after a loss of data the process knows more than Redis.
-- Returns 1, or 0 where the set had no such member.
local was_member = redis.call('SREM', KEYS[3], ARGV[3])
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[4])
if redis.call('EXISTS', KEYS[3]) == 0 then
    redis.call('ZREM', KEYS[2], ARGV[2])
end
return was_member
