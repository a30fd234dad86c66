"""Statements over many records at once: import and a month's confirmation.

``$1`` is the county everywhere.
"""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from points.work.rules import State
from points.work.schemas import Excluding, StepRow
from shared import lock_queries
from shared.database import DB
from shared.months import month_bounds


class Waiting(Excluding, frozen=True, kw_only=True):
    """A pending record in the order in which a month is confirmed."""

    work_date: date
    rule_code: str
    rule_version: int


class Answered(msgspec.Struct, frozen=True):
    """A step that somebody confirmed on paper."""

    id: UUID
    by_id: UUID
    authority: str


CLOSED_MONTHS = """
SELECT village_code, month FROM points.village_month
WHERE county_id = $1 AND state IN ('sampling', 'notice', 'posted')
"""
CADRES = """
SELECT id FROM shared.person
WHERE county_id = $1 AND employment_type = 'cadre' AND id = ANY($2::uuid[])
"""
# A record's run is the month of its work or a later one.
OF_MONTH = """
r.county_id = $1 AND r.run_month >= $2
  AND (r.run_month = $2 OR r.work_date >= $3 AND r.work_date < $4)
"""
# Villages in order of their codes: their range of the index holds hardly any others.
OF_VILLAGES = """
  AND left(r.grid_code, 12) = ANY($5::text[]) AND r.grid_code COLLATE "C"
      BETWEEN ($5::text[])[1] AND ($5::text[])[cardinality($5::text[])] || '~'
"""
NO_OBJECTION = """
  AND NOT EXISTS (SELECT FROM points.objection o WHERE o.county_id = $1 AND o.record_id = r.id
                  AND o.state IN ('open', 'review'))
"""
PLACES = f"""
SELECT left(r.grid_code, 12) AS village_code, count(*)::int AS records
FROM points.work_record r WHERE {OF_MONTH} AND r.state = $5
GROUP BY 1 ORDER BY 1
"""
# Whoever answers a step locks its record first; so do we, before the steps are read.
WAITING = f"""
SELECT r.id, r.worker_id, r.grid_code, r.entered_by, r.recused,
       p.employment_type = 'cadre' AS cadre, r.work_date, r.rule_code, r.rule_version
FROM points.work_record r
JOIN shared.person p ON p.county_id = $1 AND p.id = r.worker_id
WHERE {OF_MONTH} {OF_VILLAGES} AND r.state = 'pending'
  AND (r.work_date, r.id) > ($6, $7)
ORDER BY r.work_date, r.id LIMIT $8
FOR UPDATE OF r
"""
# Each record's steps by its key. `record_id = ANY($2)` leaves the planner a choice that it makes by
# statistics; those of a county's first days are of an empty table, and it read the whole county.
STEPS = """
SELECT v.id, v.record_id, v.step, v.role, v.unit_code, v.grid_code, v.verdict, v.by_id,
       NULL::text AS by_name, v.authority, v.via, v.at
FROM unnest($2::uuid[]) AS r (id)
CROSS JOIN LATERAL (SELECT * FROM points.verification
                    WHERE county_id = $1 AND record_id = r.id ORDER BY step) AS v
"""
ANSWER = """
UPDATE points.verification v
SET verdict = 'approve', by_id = n.by_id, authority = n.authority, via = 'sheet', at = $5
FROM unnest($2::uuid[], $3::uuid[], $4::text[]) AS n (id, by_id, authority)
WHERE v.county_id = $1 AND v.id = n.id AND v.verdict = 'open'
"""
ACCEPT = """
UPDATE points.work_record r
SET state = 'accepted', accepted_at = $4,
    resident_how = CASE WHEN r.resident_how = '' AND r.rule_code = ANY($3::text[])
                        THEN 'signature' ELSE r.resident_how END
WHERE r.county_id = $1 AND r.id = ANY($2::uuid[]) AND r.state = 'pending'
  AND NOT EXISTS (SELECT FROM points.verification v
                  WHERE v.county_id = $1 AND v.record_id = r.id AND v.verdict <> 'approve')
RETURNING r.id, r.grid_code
"""
ACCEPTED = """
SELECT id, grid_code FROM points.work_record WHERE county_id = $1 AND state = 'accepted'
"""
READY = f"""
SELECT r.id, left(r.grid_code, 12) AS village_code FROM points.work_record r
WHERE {OF_MONTH} {OF_VILLAGES} AND r.state = 'accepted'
{NO_OBJECTION}
ORDER BY r.work_date, r.declared_at, r.seq, r.id LIMIT $6
"""
CLOSE = """
INSERT INTO points.village_month (county_id, id, village_code, month, state, sample, posted_at)
SELECT $1, m.id, m.code, $4, 'posted', '{}', $5
FROM unnest($2::uuid[], $3::text[]) AS m (id, code)
ON CONFLICT (county_id, village_code, month) DO UPDATE
SET state = 'posted', posted_at = COALESCE(village_month.posted_at, excluded.posted_at)
"""


async def lock_import(county_id: int) -> None:
    """One import of a county at a time; released with the transaction."""
    await lock_queries.take(county_id, "points.work_import")


async def closed_months(county_id: int) -> set[tuple[str, int]]:
    """(village, month) whose review is over: what comes later belongs to the next run."""
    rows = await DB.fetch(CLOSED_MONTHS, county_id)
    return {(row["village_code"], row["month"]) for row in rows}


async def cadres(county_id: int, people: Sequence[UUID]) -> set[UUID]:
    return {row["id"] for row in await DB.fetch(CADRES, county_id, list(people))}


async def places(county_id: int, month: int, state: State) -> list[tuple[str, int]]:
    """Villages with records of a month's work or run in a state, and how many."""
    rows = await DB.fetch(PLACES, county_id, month, *month_bounds(month), state)
    return [(row["village_code"], row["records"]) for row in rows]


async def waiting(
    county_id: int, month: int, villages: Sequence[str], after: tuple[date, UUID], limit: int
) -> list[Waiting]:
    """Pending records of a month's work or run, by work date; locked."""
    return await DB.all(
        Waiting, WAITING, county_id, month, *month_bounds(month), sorted(villages), *after, limit
    )


async def steps(county_id: int, records: Sequence[UUID]) -> list[StepRow]:
    """Steps of records, answered or not."""
    return await DB.all(StepRow, STEPS, county_id, list(records))


async def answer(county_id: int, rows: Sequence[Answered], at: datetime) -> None:
    await DB.execute(
        ANSWER,
        county_id,
        [row.id for row in rows],
        [row.by_id for row in rows],
        [row.authority for row in rows],
        at,
    )


async def accept(
    county_id: int, ids: Sequence[UUID], resident_rules: Sequence[str], at: datetime
) -> list[tuple[UUID, str]]:
    """Accept the records whose every step is confirmed: (id, grid). A sheet bears signatures."""
    rows = await DB.fetch(ACCEPT, county_id, list(ids), list(resident_rules), at)
    return [(row["id"], row["grid_code"]) for row in rows]


async def accepted(county_id: int) -> list[tuple[UUID, str]]:
    """Everything confirmed and not posted: (id, grid)."""
    return [(row["id"], row["grid_code"]) for row in await DB.fetch(ACCEPTED, county_id)]


async def ready(
    county_id: int, month: int, villages: Sequence[str], limit: int
) -> list[tuple[UUID, str]]:
    """Accepted records of a month's work or run without an open objection: (id, village)."""
    rows = await DB.fetch(READY, county_id, month, *month_bounds(month), sorted(villages), limit)
    return [(row["id"], row["village_code"]) for row in rows]


async def close(
    county_id: int, villages: Sequence[tuple[UUID, str]], month: int, at: datetime
) -> None:
    """Mark months of villages posted; ``villages`` are (id of a new row, code)."""
    ids = [row_id for row_id, _ in villages]
    await DB.execute(CLOSE, county_id, ids, [code for _, code in villages], month, at)
