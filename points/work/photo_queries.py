"""SQL of evidence photos whose time is over. ``$1`` is the county everywhere."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from shared.database import DB

# Work before $2, a first of January, and settled before $3; the cycles that count it were closed
# by $4, and neither record nor worker is in a dispute.
OVER = """
SELECT r.id, r.photo FROM points.work_record r
WHERE r.county_id = $1 AND r.photo IS NOT NULL AND r.work_date < $2
  AND COALESCE(r.posted_at, r.declared_at) < $3 AND r.state NOT IN ('pending', 'accepted')
  AND NOT EXISTS (SELECT FROM appraisal.cycle_period c
                  WHERE c.county_id = $1 AND r.work_date BETWEEN c.starts_on AND c.ends_on
                    AND (c.closed_on IS NULL OR c.closed_on > $4))
  AND NOT EXISTS (SELECT FROM appraisal.open_case f
                  WHERE f.county_id = $1 AND f.person_id = r.worker_id)
  AND NOT EXISTS (SELECT FROM points.objection o
                  WHERE o.county_id = $1 AND o.record_id = r.id AND o.state IN ('open', 'review'))
  AND NOT EXISTS (SELECT FROM points.deduction d
                  WHERE d.county_id = $1 AND d.record_id = r.id
                    AND d.state IN ('noticed', 'decided', 'appealed'))
ORDER BY r.photo, r.id LIMIT $5
"""
# A file is named by what it shows: another record, also of another county, may have the same one.
USED = """
SELECT EXISTS (
    SELECT FROM points.work_record r
    WHERE r.county_id = ANY(ARRAY(SELECT id FROM shared.county)) AND r.photo = $1
      AND NOT (r.county_id = $2 AND r.id = ANY($3::uuid[])))
"""
FORGET = """
UPDATE points.work_record SET photo = NULL
WHERE county_id = $1 AND id = ANY($2::uuid[]) AND photo IS NOT NULL
"""
Before = tuple[date, datetime, date]


async def over(county_id: int, before: Before, limit: int) -> list[tuple[UUID, bytes]]:
    """Records with the photos that are due."""
    rows = await DB.fetch(OVER, county_id, *before, limit)
    return [(row["id"], row["photo"]) for row in rows]


async def used(photo: bytes, county_id: int = 0, but: Sequence[UUID] = ()) -> bool:
    """Whether records of any county have this photo, other than these of the one named."""
    found: bool = await DB.fetchval(USED, photo, county_id, list(but))
    return found


async def forget(county_id: int, records: Sequence[UUID]) -> int:
    """Records without their photo; how many."""
    return await DB.count(FORGET, county_id, list(records))
