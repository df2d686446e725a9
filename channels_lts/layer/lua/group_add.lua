-- Add a channel of a process to a group: tell the process, by its own queue, and note it for all others.
-- KEYS[1] list  queue of the process      KEYS[2] zset  the group
-- KEYS[3] set   the process's members     KEYS[4] string  the process's sign of life
-- ARGV[1] bytes control item   ARGV[2] bytes process   ARGV[3] bytes channel   ARGV[4] float when the membership expires
-- ARGV[5] int seconds that a group lives   ARGV[6] int seconds that a queue lives
-- ARGV[7] int capacity of the queue   ARGV[8] int milliseconds that a sign of life counts
-- Control items pass even where the queue is full: a member that is not known would miss everything.
-- Returns 1.
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[6])
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[5])
redis.call('SADD', KEYS[3], ARGV[3])
redis.call('EXPIRE', KEYS[3], ARGV[5])
-- A process that has not announced itself yet gets the benefit of the doubt, once.
redis.call('SET', KEYS[4], ARGV[7], 'PX', ARGV[8], 'NX')
return 1
