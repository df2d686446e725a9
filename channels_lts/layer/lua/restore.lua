-- Bring back what a process has kept of its channels' sessions, where Redis has lost them.
-- KEYS     hash  the session of each channel
-- ARGV[1] int seconds that they live   ARGV[2..] for each session: int count of fields, then each field and its value
-- Returns how many were brought back. One that is there, or has ended, stays as it is: it is newer.
local restored, argument = 0, 2
for _, key in ipairs(KEYS) do
    local count = tonumber(ARGV[argument])
    if count > 0 and redis.call('EXISTS', key) == 0 then
        redis.call('HMSET', key, unpack(ARGV, argument + 1, argument + 2 * count))
        redis.call('EXPIRE', key, ARGV[1])
        restored = restored + 1
    end
    argument = argument + 1 + 2 * count
end
return restored
