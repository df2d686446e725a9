-- Read the session of a socket.
-- KEYS[1] hash  the session: 'name', 'ended', and '=' before the name of each value
-- Returns what is in the hash, as HGETALL does.
return redis.call('HGETALL', KEYS[1])
