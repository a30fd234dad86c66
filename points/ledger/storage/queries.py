"""SQL of partitions and closed months.

Partitions belong to no county; their statements say so where the county would stand.
"""

from datetime import datetime

from shared.database import DB

MAKE_PARTITIONS = "SELECT points.make_partitions($1, $2) /* every county_id */"
PARTITIONS_END = "SELECT points.partitions_end() /* every county_id */"
STRAYS = """
SELECT count(*) FROM (
    SELECT FROM points.transfer /* every county_id */
    WHERE id >= points.transfer_id(points.partitions_end(), 0, 0, 0) LIMIT $1) AS stray
"""
CLOSE_MONTH = "SELECT points.close_month($1, $2, $3) /* county_id = $1 */"


async def make_partitions(at: datetime, ahead: int) -> int:
    return int(await DB.fetchval(MAKE_PARTITIONS, at, ahead))


async def partitions_end() -> datetime:
    found: datetime = await DB.fetchval(PARTITIONS_END)
    return found


async def strays(limit: int) -> int:
    """Transfers in the default partition, counted up to a limit."""
    return int(await DB.fetchval(STRAYS, limit))


async def close_month(county_id: int, month: int, now: datetime) -> int | None:
    found: int | None = await DB.fetchval(CLOSE_MONTH, county_id, month, now)
    return found
