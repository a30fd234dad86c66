"""What may be lost: rate counters, session cache, page caches. Never a balance or a right."""

from redis.asyncio import Redis

from shared.settings import Settings

COUNT_SCRIPT = """
local n = redis.call('INCR', KEYS[1])
if n == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return {n, redis.call('TTL', KEYS[1])}
"""


def client(settings: Settings) -> Redis:
    """A client of the configured server; commands used: GET SET EX NX INCR EXPIRE DEL and Lua."""
    return Redis.from_url(settings.redis_url, socket_timeout=1.0, socket_connect_timeout=1.0)


async def count(redis: Redis, key: str, window: int) -> tuple[int, int]:
    """Count one event in a window of seconds: (events so far, seconds until it resets)."""
    events, left = await redis.eval(COUNT_SCRIPT, 1, key, str(window))
    return int(events), int(left)
