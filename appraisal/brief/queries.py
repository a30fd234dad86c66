"""SQL of the brief. ``$1`` is the county."""

from datetime import date
from uuid import UUID

import msgspec

from appraisal.casework.rules import POOL_NAMES, Pool
from shared.database import DB

CASES = """
SELECT pool, count(*) FILTER (WHERE NOT done)::int AS open,
       count(*) FILTER (WHERE done)::int AS done
FROM appraisal.case_file WHERE county_id = $1 AND about_cycle_id = $2 GROUP BY pool
"""
# Sheets of a month come on the first of the next: until then it has none.
MONTHS = """
SELECT month, sum(issued)::int8 AS issued, sum(redeemed)::int8 AS redeemed
FROM points.published_month
WHERE county_id = $1 AND month BETWEEN to_char($2::date, 'YYYY-MM') AND to_char($3::date, 'YYYY-MM')
GROUP BY month ORDER BY month
"""


class CaseCount(msgspec.Struct, frozen=True):
    """Cases about a cycle's results."""

    pool: Pool
    open: int
    done: int

    @property
    def name(self) -> str:
        return POOL_NAMES[self.pool]


async def cases(county_id: int, cycle_id: UUID) -> list[CaseCount]:
    return await DB.all(CaseCount, CASES, county_id, cycle_id)


async def months(county_id: int, first: date, last: date) -> list[tuple[str, int, int]]:
    """Month, points issued and redeemed (0.1), of all funds' public sheets."""
    rows = await DB.fetch(MONTHS, county_id, first, last)
    return [(row["month"], row["issued"], row["redeemed"]) for row in rows]
