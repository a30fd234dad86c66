"""What points still has to settle with somebody: nobody is erased before that."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from shared.database import DB

# Points to spend, a debt (offset), what waits for a budget or at a shop, work and deductions that
# are not decided for good or not in the ledger yet. Merit is never spent, so it holds nobody.
HELD = """
SELECT a.owner AS id FROM points.account a
WHERE a.county_id = $1 AND a.owner = ANY($2::uuid[]) AND a.unit = 'wallet' AND a.balance <> 0
UNION
SELECT w.person_id FROM points.awaiting w
WHERE w.county_id = $1 AND w.person_id = ANY($2::uuid[]) AND w.remaining > 0
UNION
SELECT h.person_id FROM points.hold h
WHERE h.county_id = $1 AND h.person_id = ANY($2::uuid[]) AND h.status = 'pending'
UNION
SELECT r.worker_id FROM points.work_record r
WHERE r.county_id = $1 AND r.worker_id = ANY($2::uuid[]) AND r.state IN ('pending', 'accepted')
UNION
SELECT o.worker_id FROM points.objection o
WHERE o.county_id = $1 AND o.worker_id = ANY($2::uuid[]) AND o.state IN ('open', 'review')
UNION
SELECT d.worker_id FROM points.deduction d
WHERE d.county_id = $1 AND d.worker_id = ANY($2::uuid[])
  AND (d.state IN ('noticed', 'decided', 'appealed')
       OR (d.state = 'final' AND d.posted_at IS NULL))
"""


async def held(county_id: int, people: Sequence[UUID], _on: date) -> set[UUID]:
    """Those of them with something open."""
    return {row["id"] for row in await DB.fetch(HELD, county_id, list(people))}
