"""SQL of the working-day table."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from shared import lock_queries
from shared.calendar.rules import DayException
from shared.database import DB

YEAR = """
SELECT day, working, name FROM shared.calendar_exception
WHERE county_id = $1 AND day >= make_date($2, 1, 1) AND day < make_date($2 + 1, 1, 1)
ORDER BY day
"""
INSERT = """
INSERT INTO shared.calendar_exception (county_id, id, day, working, name)
SELECT $1, * FROM unnest($2::uuid[], $3::date[], $4::boolean[], $5::text[])
ON CONFLICT (county_id, day) DO NOTHING
"""
DELETE_YEAR = """
DELETE FROM shared.calendar_exception
WHERE county_id = $1 AND day >= make_date($2, 1, 1) AND day < make_date($2 + 1, 1, 1)
"""


async def year(county_id: int, number: int) -> list[DayException]:
    return await DB.all(DayException, YEAR, county_id, number)


async def lock(county_id: int) -> None:
    """Held by whoever writes a year, to the end of the transaction: a year has one arrangement."""
    await lock_queries.take(county_id, "shared.calendar_exception")


async def insert(county_id: int, ids: Sequence[UUID], days: Sequence[DayException]) -> None:
    dates: list[date] = [item.day for item in days]
    working = [item.working for item in days]
    names = [item.name for item in days]
    await DB.execute(INSERT, county_id, list(ids), dates, working, names)


async def delete_year(county_id: int, number: int) -> None:
    await DB.execute(DELETE_YEAR, county_id, number)
