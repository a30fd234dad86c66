"""What may be lost: rate counters, session cache, page caches. Never a balance or a right."""

from redis.asyncio import Redis

from shared.settings import Settings

COUNT_SCRIPT = """
local n = redis.call('INCRBY', KEYS[1], ARGV[2])
if n == tonumber(ARGV[2]) then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return {n, redis.call('TTL', KEYS[1])}
"""


def client(settings: Settings) -> Redis:
    """A client of the configured server; commands used: GET SET EX NX INCR EXPIRE DEL and Lua."""
    return Redis.from_url(settings.redis_url, socket_timeout=1.0, socket_connect_timeout=1.0)


async def count(redis: Redis, key: str, window: int, events: int = 1) -> tuple[int, int]:
    """Count events in a window of seconds: (how many so far, seconds until it resets)."""
    total, left = await redis.eval(COUNT_SCRIPT, 1, key, str(window), str(events))
    return int(total), int(left)
