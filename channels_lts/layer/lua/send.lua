-- Push messages onto queues, each as far as it has room, and count what was sent and what was refused.
-- KEYS[1]      hash  statistics of all channels together
-- KEYS[2i]     list  queue number i         KEYS[2i+1] hash  statistics of that queue
-- ARGV[1] int  seconds that a queue lives   ARGV[2] int  seconds that a queue's statistics live   ARGV[3] int  the same of KEYS[1]
-- ARGV[4..]    for each queue: int capacity, int count, then count items (bytes)
-- Returns for each queue how many of its items were pushed: its first ones. The others are refused and counted.
local function count_up(statistics, field, count, lifetime)
    local total = redis.call('HINCRBY', statistics, field, count)
    -- Its time begins anew with the first, and then now and then: a command for every message would cost more.
    if total <= count or total % 32 < count then
        redis.call('EXPIRE', statistics, lifetime)
    end
end

local accepted = {}
local argument = 4
local sent, refused = 0, 0
for queue = 1, (#KEYS - 1) / 2 do
    local list, statistics = KEYS[2 * queue], KEYS[2 * queue + 1]
    local capacity, count = tonumber(ARGV[argument]), tonumber(ARGV[argument + 1])
    local room = math.min(math.max(capacity - redis.call('LLEN', list), 0), count)
    if room > 0 then
        redis.call('RPUSH', list, unpack(ARGV, argument + 2, argument + 1 + room))
        redis.call('EXPIRE', list, ARGV[1])
        count_up(statistics, 'messages_count', room, ARGV[2])
    end
    if room < count then
        count_up(statistics, 'channel_full_count', count - room, ARGV[2])
    end
    accepted[queue] = room
    sent, refused = sent + room, refused + count - room
    argument = argument + 2 + count
end
if sent > 0 then
    count_up(KEYS[1], 'messages_count', sent, ARGV[3])
end
if refused > 0 then
    count_up(KEYS[1], 'channel_full_count', refused, ARGV[3])
end
return accepted
