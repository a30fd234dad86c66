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


async def limit(redis: Redis, name: str, who: str, allowed: int, window: int) -> int:
    """Count one event of ``who`` in a window of seconds; the number so far (0: cache away).

    Raises TooMany above ``allowed``.
    """
    events, left = await _counted(redis, name, who, window, 1)
    if events > allowed:
        raise TooMany(SENTENCE, max(left, 1))
    return events


class Portions:
    """A limit that a process counts by itself at first, then in portions from the cache.

    ``own`` events of a window are this process's to give, without a trip; what goes beyond them is
    fetched ``portion`` at a time from what all processes share, ``allowed - own``. So one process
    never passes ``allowed``, each further one may add its own; a portion that is not used up in its
    window is lost.
    """

    def __init__(self, name: str, allowed: int, window: int, *, own: int, portion: int) -> None:
        self.name, self.window, self.own, self.portion = name, window, own, portion
        self.shared = allowed - own
        self._held: dict[str, tuple[int, float]] = {}
        """Who → events in hand, and until when on the monotonic clock."""

    async def take(self, redis: Redis, who: str) -> None:
        """Count one event; raises TooMany."""
        now = monotonic()
        events, until = self._held.get(who, (0, 0.0))
        if now >= until:
            if len(self._held) >= MOST_HOLDERS:
                self._held.clear()
            events, until = self.own, now + self.window
        elif not events:
            events = await self._fetch(redis, who)
        self._held[who] = events - 1, until

    async def _fetch(self, redis: Redis, who: str) -> int:
        total, left = await _counted(redis, self.name, who, self.window, self.portion)
        granted = min(self.portion, self.shared - total + self.portion)
        if total and granted <= 0:
            raise TooMany(SENTENCE, max(left, 1))
        return granted


async def _counted(redis: Redis, name: str, who: str, window: int, events: int) -> tuple[int, int]:
    """Events so far and seconds to the end of the window; zeros while the cache is away."""
    try:
        return await count(redis, f"limit:{name}:{who}", window, events)
    except (RedisError, OSError) as error:
        FAILED_OPEN.labels(name).inc()
        LOG.warning("rate_limit_failed_open", limit=name, error=repr(error))
        return 0, 0
