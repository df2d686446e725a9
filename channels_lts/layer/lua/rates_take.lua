-- Take from several token buckets at once: from all of them, or from none.
-- KEYS[1] hash    how often was refused, by kind
-- KEYS[2..] string  a bucket: the time (ms) at which it is full again; absent: it is full
-- ARGV[1] bytes kind, or empty: a refusal is not counted   ARGV[2] int seconds that the counts live
-- ARGV[3..] for each bucket: float ms in which one token comes back, float tokens it holds, float tokens to take
-- The time is that of Redis, so that hosts whose clocks differ decide alike.
-- Returns the ms after which all of it could be had; 0: it was taken.
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local wait, full = 0, {}
for bucket = 2, #KEYS do
    local argument = 3 * bucket - 3
    local token, size, taken = tonumber(ARGV[argument]), tonumber(ARGV[argument + 1]), tonumber(ARGV[argument + 2])
    local before = math.max(full[KEYS[bucket]] or tonumber(redis.call('GET', KEYS[bucket]) or '0'), now)
    -- No emptier than empty, whatever the clock or the settings were when it was written.
    before = math.min(before, now + size * token)
    full[KEYS[bucket]] = before + taken * token
    wait = math.max(wait, full[KEYS[bucket]] - size * token - now)
end
-- Less than that is rounding.
if wait > 0.01 then
    if ARGV[1] ~= '' then
        redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
        redis.call('EXPIRE', KEYS[1], ARGV[2])
    end
    return math.ceil(wait)
end
for key, time_full in pairs(full) do
    redis.call('SET', key, string.format('%.3f', time_full), 'PX', math.max(math.ceil(time_full - now), 1))
end
return 0
