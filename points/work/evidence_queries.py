"""The rows behind a month's points of one worker. ``$1`` is the county everywhere."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from shared.database import DB

RECORDS = """
SELECT r.id, r.work_date, r.rule_code AS code, r.text, r.gives, r.posted,
       COALESCE(r.decision ->> 'words', '') AS words, COALESCE(v.names, '') AS verified_by,
       v.at AS verified_at, p.batch, p.position, p.at AS posted_at
FROM points.work_record r
LEFT JOIN LATERAL (
    SELECT string_agg(n.name, '、' ORDER BY s.step) AS names, max(s.at) AS at
    FROM points.verification s
    JOIN shared.person n ON n.county_id = $1 AND n.id = s.by_id
    WHERE s.county_id = $1 AND s.record_id = r.id AND s.verdict = 'approve') v ON true
LEFT JOIN points.posting p ON p.county_id = $1 AND p.id = r.id
WHERE r.county_id = $1 AND r.worker_id = $2 AND r.state = 'posted'
  AND r.work_date >= $3 AND r.work_date < $4
ORDER BY r.work_date, r.id LIMIT 500
"""
DEDUCTIONS = """
SELECT d.id, d.happened_on AS work_date, d.code, d.title AS text, -d.amount AS gives,
       -d.amount AS posted, d.facts AS words, COALESCE(n.name, '') AS verified_by,
       d.decided_at AS verified_at, p.batch, p.position, p.at AS posted_at
FROM points.deduction d
LEFT JOIN shared.person n ON n.county_id = $1 AND n.id = d.decided_by
LEFT JOIN points.posting p ON p.county_id = $1 AND p.id = d.id
WHERE d.county_id = $1 AND d.worker_id = $2 AND d.state = 'final' AND d.posted_at IS NOT NULL
  AND d.happened_on >= $3 AND d.happened_on < $4
ORDER BY d.happened_on, d.id LIMIT 500
"""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A posted record or deduction: who confirmed it, and its line in the ledger. 0.1 point."""

    id: UUID
    work_date: date
    code: str
    text: str
    gives: int
    posted: int
    words: str
    verified_by: str
    verified_at: datetime | None
    batch: int | None
    position: int | None
    posted_at: datetime | None


async def records(county_id: int, worker_id: UUID, first: date, past: date) -> list[Evidence]:
    return await DB.all(Evidence, RECORDS, county_id, worker_id, first, past)


async def deductions(county_id: int, worker_id: UUID, first: date, past: date) -> list[Evidence]:
    return await DB.all(Evidence, DEDUCTIONS, county_id, worker_id, first, past)
