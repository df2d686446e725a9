-- Take messages off several queues without waiting.
-- KEYS list  queues, the first one first
-- ARGV[1] int  how many items at most
-- Returns a flat list: number of the queue in KEYS, item, number, item, ...
local taken = {}
local wanted = tonumber(ARGV[1])
for number, list in ipairs(KEYS) do
    local items = redis.call('LPOP', list, wanted)
    if items then
        for _, item in ipairs(items) do
            taken[#taken + 1] = number
            taken[#taken + 1] = item
        end
        wanted = wanted - #items
        if wanted == 0 then
            break
        end
    end
end
return taken
