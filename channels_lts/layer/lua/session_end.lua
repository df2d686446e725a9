-- Delete the session of a socket, and keep for a while that it has ended: a frame that comes late must not begin it anew.
-- KEYS[1] hash  the session
-- KEYS[2] list  queue of the socket's process, where it keeps a copy; with it, two arguments come before all others:
--               int seconds that a queue lives, bytes item that tells the process
-- ARGV[1] int seconds for which that is kept
-- Returns 1.
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'ended', 1)
redis.call('EXPIRE', KEYS[1], ARGV[#ARGV])
if KEYS[2] then
    redis.call('RPUSH', KEYS[2], ARGV[2])
    redis.call('EXPIRE', KEYS[2], ARGV[1])
end
return 1
