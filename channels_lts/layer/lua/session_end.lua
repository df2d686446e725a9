-- Delete the session of a socket, and keep for a while that it has ended: a frame that comes late must not begin it anew.
-- KEYS[1] hash  the session
-- ARGV[1] int seconds for which that is kept
-- Returns 1.
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'ended', 1)
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1
