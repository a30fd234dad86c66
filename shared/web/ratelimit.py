"""Coarse limits in Valkey, one atomic script a count: they slow a flood, they decide no right.

When the cache is away the request passes and a metric counts it; the tries that matter (PIN,
password, card, code) are counted on rows in PostgreSQL as well.
"""

from time import monotonic

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
SENTENCE = "操作太频繁，请稍后再试。"
MOST_HOLDERS = 20_000
"""Whose portions a process holds at most."""
AWAY_SECONDS = 1.0
"""How long events pass uncounted before an absent cache is asked again."""


async def limit(redis: Redis, name: str, who: str, allowed: int, window: int) -> int:
    """Count one event of ``who`` in a window of seconds; the number so far (0: cache away).

    Raises TooMany above ``allowed``.
    """
    events, left = await _counted(redis, name, who, window, 1)
    if events > allowed:
        raise TooMany(SENTENCE, max(left, 1))
    return events


class Portions:
    """A limit whose count is fetched in portions: one trip to the cache for several events.

    What a process has fetched and not used by the end of the window is lost to ``who``, so the
    limit is never passed, and met early by at most a portion a process.
    """

    def __init__(self, name: str, allowed: int, window: int, portion: int) -> None:
        self.name, self.allowed, self.window, self.portion = name, allowed, window, portion
        self._held: dict[str, tuple[int, float]] = {}
        """Who → events in hand, and until when on the monotonic clock."""

    async def take(self, redis: Redis, who: str) -> None:
        """Count one event; raises TooMany."""
        events, until = self._held.get(who, (0, 0.0))
        if not events or monotonic() >= until:
            events, until = await self._fetch(redis, who)
        self._held[who] = events - 1, until

    async def _fetch(self, redis: Redis, who: str) -> tuple[int, float]:
        if len(self._held) >= MOST_HOLDERS:
            self._held.clear()
        total, left = await _counted(redis, self.name, who, self.window, self.portion)
        if not total:
            return self.portion, monotonic() + AWAY_SECONDS
        granted = min(self.portion, self.allowed - total + self.portion)
        if granted <= 0:
            raise TooMany(SENTENCE, max(left, 1))
        return granted, monotonic() + left


async def _counted(redis: Redis, name: str, who: str, window: int, events: int) -> tuple[int, int]:
    """Events so far and seconds to the end of the window; zeros while the cache is away."""
    try:
        return await count(redis, f"limit:{name}:{who}", window, events)
    except (RedisError, OSError) as error:
        FAILED_OPEN.labels(name).inc()
        LOG.warning("rate_limit_failed_open", limit=name, error=repr(error))
        return 0, 0
