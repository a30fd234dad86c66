"""Coarse limits in Valkey, one atomic script a count: they slow a flood, they decide no right.

When the cache is away the request passes and a metric counts it; the tries that matter (PIN,
password, card, code) are counted on rows in PostgreSQL as well.
"""

import structlog
from prometheus_client import Counter
from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared.errors import TooMany
from shared.valkey import count

LOG = structlog.get_logger("gridmerit.ratelimit")
FAILED_OPEN = Counter(
    "gridmerit_rate_limit_failed_open_total",
    "Requests that passed a coarse limit because the cache was away.",
    ["limit"],
)


async def limit(redis: Redis, name: str, who: str, allowed: int, window: int) -> int:
    """Count one event of ``who`` in a window of seconds; the number so far (0: cache away).

    Raises TooMany above ``allowed``.
    """
    try:
        events, left = await count(redis, f"limit:{name}:{who}", window)
    except (RedisError, OSError) as error:
        FAILED_OPEN.labels(name).inc()
        LOG.warning("rate_limit_failed_open", limit=name, error=repr(error))
        return 0
    if events > allowed:
        raise TooMany("操作太频繁，请稍后再试。", max(left, 1))
    return events
