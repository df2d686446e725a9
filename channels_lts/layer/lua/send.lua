-- Push messages onto queues, each as far as it has room, and count what was sent and what was refused.
-- KEYS[1]      hash  statistics of all channels together
-- KEYS[2i]     list  queue number i         KEYS[2i+1] hash  statistics of that queue
-- ARGV[1] int  seconds that a queue lives   ARGV[2] int  seconds that a queue's statistics live   ARGV[3] int  the same of KEYS[1]
-- ARGV[4..]    for each queue: int capacity, int count, then count items (bytes)
-- Returns for each queue how many of its items were pushed: its first ones. The others are refused and counted.
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
        redis.call('HINCRBY', statistics, 'messages_count', room)
    end
    if room < count then
        redis.call('HINCRBY', statistics, 'channel_full_count', count - room)
    end
    redis.call('EXPIRE', statistics, ARGV[2])
    accepted[queue] = room
    sent, refused = sent + room, refused + count - room
    argument = argument + 2 + count
end
if sent > 0 then
    redis.call('HINCRBY', KEYS[1], 'messages_count', sent)
end
if refused > 0 then
    redis.call('HINCRBY', KEYS[1], 'channel_full_count', refused)
end
redis.call('EXPIRE', KEYS[1], ARGV[3])
return accepted
