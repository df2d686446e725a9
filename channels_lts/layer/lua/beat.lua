-- Note that a process lives, and take away the records of interface servers that have fallen silent.
-- KEYS[1] hash  records of its kind   KEYS[2] hash  records of interface servers
-- KEYS[3] hash  when somebody beat last, and since when without a pause
-- ARGV[1] bytes name of the process   ARGV[2] bytes its record, JSON   ARGV[3] int seconds that all of this lives
-- ARGV[4] float seconds between two beats, of anybody, that make a pause: Redis was away, or everything stood still
-- ARGV[5] float seconds of silence after which an interface server is gone; 0: look for none
-- Returns a flat list: name of a server that is gone, its record, name, record, ... Each is returned once.
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local function text(seconds)
    return string.format('%.3f', seconds)
end

redis.call('HSET', KEYS[1], ARGV[1], '{"seen": ' .. text(now) .. ', ' .. string.sub(ARGV[2], 2))
redis.call('EXPIRE', KEYS[1], ARGV[3])

local last = tonumber(redis.call('HGET', KEYS[3], 'last') or '')
local since = tonumber(redis.call('HGET', KEYS[3], 'since') or '')
if not last or not since then
    -- All that is here was said since.
    since = 0
elseif now - last > tonumber(ARGV[4]) then
    since = now
end
redis.call('HSET', KEYS[3], 'last', text(now), 'since', text(since))
redis.call('EXPIRE', KEYS[3], ARGV[3])

local gone = {}
local silence = tonumber(ARGV[5])
-- After a pause all have been silent. Who lives has time to notice that its connection is dead, and to beat again.
if silence > 0 and now - since > 1.5 * silence then
    local records = redis.call('HGETALL', KEYS[2])
    for position = 1, #records, 2 do
        local readable, record = pcall(cjson.decode, records[position + 1])
        if not readable or type(record) ~= 'table' or now - (tonumber(record.seen) or 0) > silence then
            redis.call('HDEL', KEYS[2], records[position])
            gone[#gone + 1] = records[position]
            gone[#gone + 1] = records[position + 1]
        end
    end
end
return gone
