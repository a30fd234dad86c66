"""What appraisal still has to settle with somebody: nobody is erased before that."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from shared.database import DB

# A case, a result that may still be objected to, a cycle over days in which they had a post.
HELD = """
SELECT f.person_id AS id FROM appraisal.case_file f
WHERE f.county_id = $1 AND f.person_id = ANY($2::uuid[]) AND NOT f.done
UNION
SELECT s.person_id FROM appraisal.serving s
WHERE s.county_id = $1 AND s.person_id = ANY($2::uuid[]) AND s.objection_until >= $3
UNION
SELECT a.person_id FROM shared.assignment a
JOIN appraisal.cycle c ON c.county_id = $1 AND c.state <> 'closed'
  AND a.valid_from <= c.ends_on AND (a.valid_to IS NULL OR a.valid_to > c.starts_on)
WHERE a.county_id = $1 AND a.person_id = ANY($2::uuid[])
"""


async def held(county_id: int, people: Sequence[UUID], on: date) -> set[UUID]:
    """Those of them with something open."""
    return {row["id"] for row in await DB.fetch(HELD, county_id, list(people), on)}
