-- Put items that were popped, and not begun, back where they came from.
-- KEYS list  queue of each item
-- ARGV[1] int  seconds that a queue lives   ARGV[2] bytes 'LPUSH' (before all others) or 'RPUSH' (after them)
-- ARGV[3..] bytes items, in the order they were popped; as many as KEYS
-- Returns how many they were.
local first, last, step = #KEYS, 1, -1
if ARGV[2] == 'RPUSH' then
    first, last, step = 1, #KEYS, 1
end
for number = first, last, step do
    redis.call(ARGV[2], KEYS[number], ARGV[number + 2])
    redis.call('EXPIRE', KEYS[number], ARGV[1])
end
return #KEYS
