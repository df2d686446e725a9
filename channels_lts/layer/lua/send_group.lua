-- Push messages to groups, each to every process that has members, whatever their number. The processes hand them on.
-- KEYS[1] hash  statistics of all channels together
-- KEYS[2..] zset  for each message its group: processes with members, and member channels that belong to no process, by
--   the time they expire
-- ARGV[1] float now, seconds   ARGV[2] int seconds that a queue lives   ARGV[3] bytes prefix of queues
-- ARGV[4] bytes prefix of processes' signs of life   ARGV[5] bytes prefix of statistics
-- ARGV[6] int seconds that a queue's statistics live   ARGV[7] int the same of KEYS[1]
-- ARGV[8..] for each message: bytes item, then bytes prefix of processes' members of its group
-- The keys of the processes are made from what the groups hold, so they cannot come in KEYS.
-- Returns for each {number of processes, {processes whose queue was full}, {member channels that belong to no process}}.
local room, items, results = {}, {}, {}
local sent, refused = 0, 0
for number = 2, #KEYS do
    local group, item, members = KEYS[number], ARGV[2 * number + 4], ARGV[2 * number + 5]
    local pushed, full, others = 0, {}, {}
    redis.call('ZREMRANGEBYSCORE', group, '-inf', ARGV[1])
    for _, member in ipairs(redis.call('ZRANGE', group, 0, -1)) do
        if string.sub(member, -1) ~= '!' then
            others[#others + 1] = member
        else
            if room[member] == nil then
                local sign = redis.call('GET', ARGV[4] .. member)
                room[member] = sign and tonumber(string.match(sign, '^%d+')) - redis.call('LLEN', ARGV[3] .. member)
                items[member] = {}
            end
            if not room[member] then
                -- Nobody has heard of it for a while: it is dead, and so are its members.
                redis.call('ZREM', group, member)
                redis.call('UNLINK', members .. member)
            elseif room[member] <= #items[member] then
                full[#full + 1] = member
                redis.call('HINCRBY', ARGV[5] .. member, 'channel_full_count', 1)
                redis.call('EXPIRE', ARGV[5] .. member, ARGV[6])
            else
                pushed = pushed + 1
                items[member][#items[member] + 1] = item
            end
        end
    end
    sent, refused = sent + pushed, refused + #full
    results[#results + 1] = {pushed, full, others}
end
for member, queued in pairs(items) do
    if #queued > 0 then
        redis.call('RPUSH', ARGV[3] .. member, unpack(queued))
        redis.call('EXPIRE', ARGV[3] .. member, ARGV[2])
    end
end
if sent > 0 then
    redis.call('HINCRBY', KEYS[1], 'messages_count', sent)
end
if refused > 0 then
    redis.call('HINCRBY', KEYS[1], 'channel_full_count', refused)
end
if sent + refused > 0 then
    redis.call('EXPIRE', KEYS[1], ARGV[7])
end
return results
