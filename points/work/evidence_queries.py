"""The records of a month of one worker. ``$1`` is the county everywhere."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from points.work.rules import State
from shared.database import DB

RECORDS = """
SELECT r.id, r.work_date, r.rule_code AS code, r.text, r.state, r.gives, r.posted,
       COALESCE(r.decision ->> 'words', r.reason) AS words, COALESCE(v.names, '') AS verified_by,
       v.at AS verified_at, p.batch, p.position, p.at AS posted_at
FROM points.work_record r
LEFT JOIN LATERAL (
    SELECT string_agg(n.name, '、' ORDER BY s.step) AS names, max(s.at) AS at
    FROM points.verification s
    JOIN shared.person n ON n.county_id = $1 AND n.id = s.by_id
    WHERE s.county_id = $1 AND s.record_id = r.id AND s.verdict = 'approve') v ON true
LEFT JOIN points.posting p ON p.county_id = $1 AND p.id = r.id
WHERE r.county_id = $1 AND r.worker_id = $2 AND r.state <> 'withdrawn'
  AND r.work_date >= $4 AND r.work_date < $5
  AND EXISTS (SELECT FROM unnest($3::text[]) c WHERE starts_with(r.grid_code, c))
ORDER BY r.work_date, r.id LIMIT 500
"""
DEDUCTIONS = """
SELECT d.id, d.happened_on AS work_date, d.code, d.title AS text, 'posted' AS state,
       -d.amount AS gives, -d.amount AS posted, d.facts AS words,
       COALESCE(n.name, '') AS verified_by, d.decided_at AS verified_at,
       p.batch, p.position, p.at AS posted_at
FROM points.deduction d
LEFT JOIN shared.person n ON n.county_id = $1 AND n.id = d.decided_by
LEFT JOIN points.posting p ON p.county_id = $1 AND p.id = d.id
WHERE d.county_id = $1 AND d.worker_id = $2 AND d.state = 'final' AND d.posted_at IS NOT NULL
  AND d.happened_on >= $3 AND d.happened_on < $4
ORDER BY d.happened_on, d.id LIMIT 500
"""
# By month of work; the year ends with the month $4.
YEAR = """
SELECT to_char(m.first, 'YYYY-MM') AS month, COALESCE(sum(r.posted), 0)::int8 AS points
FROM generate_series($4::date - interval '11 months', $4::date, interval '1 month') AS m (first)
LEFT JOIN points.work_record r ON r.county_id = $1 AND r.worker_id = $2 AND r.standing
  AND r.state = 'posted' AND r.work_date >= m.first AND r.work_date < m.first + interval '1 month'
  AND EXISTS (SELECT FROM unnest($3::text[]) c WHERE starts_with(r.grid_code, c))
GROUP BY 1 ORDER BY 1
"""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A record or deduction, who confirmed it and where the ledger has it; 0.1 point."""

    id: UUID
    work_date: date
    code: str
    text: str
    state: State
    gives: int
    posted: int
    words: str
    verified_by: str
    verified_at: datetime | None
    batch: int | None
    position: int | None
    posted_at: datetime | None


async def records(
    county_id: int, worker_id: UUID, codes: Sequence[str], first: date, past: date
) -> list[Evidence]:
    """Those below the units, withdrawn ones left out."""
    return await DB.all(Evidence, RECORDS, county_id, worker_id, list(codes), first, past)


async def deductions(county_id: int, worker_id: UUID, first: date, past: date) -> list[Evidence]:
    return await DB.all(Evidence, DEDUCTIONS, county_id, worker_id, first, past)


async def year(
    county_id: int, worker_id: UUID, codes: Sequence[str], last: date
) -> list[tuple[str, int]]:
    """What was posted for the work of each month, below the units: ``("2026-10", 350)``."""
    rows = await DB.fetch(YEAR, county_id, worker_id, list(codes), last)
    return [(row["month"], row["points"]) for row in rows]
