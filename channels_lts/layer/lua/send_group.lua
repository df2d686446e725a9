-- Push one group message to every process that has members, whatever their number. The processes hand it on.
-- KEYS[1] zset  the group: processes with members, and member channels that belong to no process, by the time they expire
-- KEYS[2] hash  statistics of all channels together
-- ARGV[1] bytes item   ARGV[2] float now, seconds   ARGV[3] int seconds that a queue lives
-- ARGV[4] bytes prefix of queues   ARGV[5] of processes' signs of life   ARGV[6] of processes' members of this group
-- ARGV[7] bytes prefix of statistics   ARGV[8] int seconds that a queue's statistics live   ARGV[9] int the same of KEYS[2]
-- The keys of the processes are made from what the group holds, so they cannot come in KEYS.
-- Returns {number of processes, {processes whose queue was full}, {member channels that belong to no process}}.
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[2])
local full, others = {}, {}
local pushed = 0
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    if string.sub(member, -1) ~= '!' then
        others[#others + 1] = member
    else
        local sign = redis.call('GET', ARGV[5] .. member)
        if not sign then
            -- Nobody has heard of it for a while: it is dead, and so are its members.
            redis.call('ZREM', KEYS[1], member)
            redis.call('UNLINK', ARGV[6] .. member)
        elseif redis.call('LLEN', ARGV[4] .. member) >= tonumber(string.match(sign, '^%d+')) then
            full[#full + 1] = member
            redis.call('HINCRBY', ARGV[7] .. member, 'channel_full_count', 1)
            redis.call('EXPIRE', ARGV[7] .. member, ARGV[8])
        else
            pushed = pushed + 1
            redis.call('RPUSH', ARGV[4] .. member, ARGV[1])
            redis.call('EXPIRE', ARGV[4] .. member, ARGV[3])
        end
    end
end
if pushed > 0 then
    redis.call('HINCRBY', KEYS[2], 'messages_count', pushed)
end
if #full > 0 then
    redis.call('HINCRBY', KEYS[2], 'channel_full_count', #full)
end
if pushed + #full > 0 then
    redis.call('EXPIRE', KEYS[2], ARGV[9])
end
return {pushed, full, others}
