"""Keep the ledger's storage ready: partitions ahead of time, months closed behind it.

A transfer lands in the partition of its quarter by its id alone. Should nobody have made one, the
default partition takes it, so nothing is lost; but then every later quarter waits for those rows
to be moved, which the same job does, and an administrator hears of it.
"""

from datetime import datetime, timedelta

import msgspec

from points.ledger.storage import queries

AHEAD = 2
"""Quarters that are ready before they begin: the job may fail for half a year unnoticed."""
SHORT = timedelta(days=30)
MOST = 1_000
"""Strays are counted no further."""


class Storage(msgspec.Struct, frozen=True):
    """How the partitions stand."""

    until: datetime
    """They take transfers before this instant."""
    strays: int
    """Transfers in the default partition, at most ``MOST``."""

    def ready(self, now: datetime) -> bool:
        """Nothing strayed, and the next month has its place."""
        return not self.strays and self.until > now + SHORT


async def storage() -> Storage:
    """Look; changes nothing."""
    return Storage(await queries.partitions_end(), await queries.strays(MOST))


async def prepare(now: datetime) -> int:
    """Make the partitions that are missing; answers how many strays are in their place now."""
    return await queries.make_partitions(now, AHEAD)


async def close_month(county_id: int, month: int, now: datetime) -> int | None:
    """Write the balances at the end of a month (202610); how many, or None if it was closed."""
    return await queries.close_month(county_id, month, now)
