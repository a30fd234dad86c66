"""Rows of imports: a month of work from the file to the ledger, beside COPY of what it writes."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from itertools import count
from time import perf_counter

import asyncpg

from points.work import bulk, intake
from shared.database import DB
from tests.factories import COUNTY
from tests.load import baselines, world
from tests.load.counter import Figures
from tests.load.rig import Rig

MONTHS = count(2)
"""Each round imports a month of its own."""


async def imported(rig: Rig) -> Figures:
    """P9 against B3; P9c: ledger rows that the same file writes again."""
    month = date(2026, next(MONTHS), 1)
    at = datetime(2026, month.month + 1, 2, tzinfo=UTC)
    data = world.month_of_work(rig.world.workers, month)
    since = await last_batch()
    began = perf_counter()
    read = await intake.import_work(None, COUNTY, data, "work.csv", now=at)
    done = await bulk.verify_month(COUNTY, month.year * 100 + month.month, now=at)
    took = perf_counter() - began
    assert done.posted is not None
    assert done.posted.records == read.rows, (read.rows, done)
    before = await last_batch()
    await intake.import_work(None, COUNTY, data, "work.csv", now=at)
    await bulk.verify_month(COUNTY, month.year * 100 + month.month, now=at)
    again = await last_batch() - before
    owner = await asyncpg.connect(rig.url)
    base = await baselines.copied_rows_a_second(owner, COUNTY, since)
    await owner.close()
    return {
        "B3": base,
        "import rows/s": read.rows / took,
        "P9": read.rows / took / base,
        "P9c": again,
    }


async def last_batch() -> int:
    return int(
        await DB.fetchval(
            "SELECT coalesce(max(number), 0) FROM points.batch WHERE county_id = $1", COUNTY
        )
    )


GROUPS: dict[str, tuple[tuple[str, ...], Callable[[Rig], Awaitable[Figures]]]] = {
    "imports": (("B3", "P9", "P9c"), imported),
}
