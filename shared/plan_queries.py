"""Statements whose best plan depends on what is asked: a day or a year, one village or the county.

After five times a connection may keep one plan for whatever is asked. That of the exchange ledger,
made for a page, took 19 s to read a month for a file, where a plan of its own takes 1 s.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.database import DB


@asynccontextmanager
async def planned_each_time() -> AsyncIterator[None]:
    """A transaction whose statements are planned for the arguments they are given."""
    async with DB.transaction():
        await DB.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        yield
