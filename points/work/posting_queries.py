"""Statements of the posting run. ``$1`` is the county everywhere."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from points.work.rules import State
from shared.database import DB
from shared.months import month_bounds, month_of


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """A record as the decision needs it; ``posted`` and ``wallet`` are what it was given, if so."""

    id: UUID
    worker_id: UUID
    grid_code: str
    rule_code: str
    rule_version: int
    category: str
    work_date: date
    quantity: int
    household: str
    text_key: str
    repeats: UUID | None
    posted: int
    wallet: int | None

    @property
    def paid(self) -> int:
        return self.posted if self.wallet is None else self.wallet


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker was given under a rule on a day: merit, and what was paid for it."""

    worker_id: UUID
    rule_code: str
    category: str
    work_date: date
    posted: int
    paid: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A record that a later one may repeat: the same words under the same rule in a grid."""

    id: UUID
    grid_code: str
    rule_code: str
    text_key: str
    work_date: date


class Decided(msgspec.Struct, frozen=True):
    """What a record got, and why (JSON of the Decision)."""

    id: UUID
    posted: int
    wallet: int | None
    decision: str
    repeats: UUID | None


FIELDS = """
SELECT id, worker_id, grid_code, rule_code, rule_version, category, work_date, quantity, household,
       text_key, repeats, posted, wallet
FROM points.work_record
"""
# Workers, whose caps are decided, and grids, whose visits and reports count once. In one order, so
# that two runs that meet wait for each other instead of deadlocking.
LOCK_WORKERS = """
SELECT pg_advisory_xact_lock(hashtextextended(w.id, $1)) FROM (
    SELECT DISTINCT k.id FROM points.work_record r
    CROSS JOIN LATERAL (VALUES (r.worker_id::text), (r.grid_code)) AS k (id)
    WHERE r.county_id = $1::int AND r.id = ANY($2::uuid[]) ORDER BY k.id) w
"""
OF_STATE = FIELDS + "WHERE county_id = $1 AND id = ANY($2::uuid[]) AND state = $3"
DECIDED_IN_ORDER = "\nORDER BY work_date, declared_at, seq, id\n"
IN_STATE = OF_STATE + DECIDED_IN_ORDER
# Whoever objects, or asks for another look, holds the worker's lock: what was committed is seen.
DUE = (
    OF_STATE
    + """
  AND NOT EXISTS (SELECT FROM points.objection o WHERE o.county_id = $1
                  AND o.record_id = work_record.id AND o.state IN ('open', 'review'))
"""
    + DECIDED_IN_ORDER
    + "FOR UPDATE"
)
# A record's run is the month of its work or a later one.
TOWNSHIPS = """
SELECT DISTINCT left(grid_code, 9) AS code FROM points.work_record
WHERE county_id = $1 AND run_month >= $2 ORDER BY 1
"""
# Of a rule, or of all below a unit; village by village.
POSTED = (
    FIELDS
    + """
WHERE county_id = $1 AND ($2 = '' OR rule_code = $2) AND work_date BETWEEN $3 AND $4
  AND run_month >= $5 AND grid_code COLLATE "C" BETWEEN $6 AND $6 || '~' AND state = 'posted'
ORDER BY left(grid_code, 12) COLLATE "C", work_date, declared_at, seq, id
"""
)
# Worker by worker, whatever the statistics of a county's first days say: `standing` (posted records
# are) and the days find a worker's records by index. OFFSET 0 keeps the planner to it.
GIVEN = """
SELECT w.id AS worker_id, r.rule_code, r.category, r.work_date, sum(r.posted)::int8 AS posted,
       sum(COALESCE(r.wallet, r.posted))::int8 AS paid
FROM unnest($2::uuid[]) AS w (id)
CROSS JOIN LATERAL (
    SELECT rule_code, category, work_date, posted, wallet FROM points.work_record
    WHERE county_id = $1 AND worker_id = w.id AND standing AND work_date BETWEEN $4 AND $5
      AND state = 'posted' AND posted > 0
      AND (extract(year FROM work_date) * 100 + extract(month FROM work_date))::int
          = ANY($3::int[])
    OFFSET 0) AS r
GROUP BY w.id, r.rule_code, r.category, r.work_date
"""
GIVEN_IN_YEARS = """
SELECT w.id AS worker_id, r.year, sum(r.posted)::int8 AS posted
FROM unnest($2::uuid[]) AS w (id)
CROSS JOIN LATERAL (
    SELECT extract(year FROM work_date)::int AS year, posted FROM points.work_record
    WHERE county_id = $1 AND worker_id = w.id AND standing AND state = 'posted' AND posted > 0
      AND work_date BETWEEN make_date($4, 1, 1) AND make_date($5, 12, 31)
    OFFSET 0) AS r
WHERE r.year = ANY($3::int[])
GROUP BY w.id, r.year
"""
# A record's run is the month of its work or a later one: older runs need not be looked through.
VISITS = (
    FIELDS
    + """
WHERE county_id = $1 AND grid_code COLLATE "C" = ANY($2::text[]) AND household = ANY($3::text[])
  AND household <> '' AND state = 'posted' AND posted > 0 AND work_date >= $4 AND run_month >= $5
"""
)
REPORTS = """
SELECT r.id, r.grid_code, r.rule_code, r.text_key, r.work_date
FROM unnest($2::text[], $3::text[], $4::text[]) AS k (grid_code, rule_code, text_key)
JOIN points.work_record r ON r.county_id = $1 AND r.grid_code COLLATE "C" = k.grid_code
  AND r.rule_code = k.rule_code AND r.text_key = k.text_key
WHERE r.work_date BETWEEN $5 AND $6 AND r.state = 'posted' AND r.repeats IS NULL
"""
# No look at the state: ``due`` did, and locked them. Where few records are in a state, the planner
# would think it meets few here and look through all of ``d`` for each.
STORE = """
UPDATE points.work_record r
SET state = 'posted', posted = d.posted, decision = d.decision::jsonb, posted_at = $6,
    wallet = d.wallet, repeats = d.repeats, accepted_at = COALESCE(r.accepted_at, $6),
    resident_how = CASE WHEN r.resident_how = '' AND r.rule_code = ANY($7::text[])
                        THEN 'signature' ELSE r.resident_how END
FROM unnest($2::uuid[], $3::int8[], $4::text[], $5::uuid[], $8::int8[])
    AS d (id, posted, decision, repeats, wallet)
WHERE r.county_id = $1 AND r.id = d.id
"""


async def lock_workers(county_id: int, ids: Sequence[UUID]) -> None:
    """One run at a time decides a worker's and a grid's records; freed with the transaction."""
    await DB.fetch(LOCK_WORKERS, county_id, list(ids))


async def due(county_id: int, ids: Sequence[UUID], state: State) -> list[Due]:
    """Records that are in a state, locked, in the order in which they are decided."""
    rows = await DB.fetch(DUE, county_id, list(ids), state)
    return [Due(**dict(row)) for row in rows]


async def accepted(county_id: int, ids: Sequence[UUID]) -> list[Due]:
    """Accepted records, only looked at."""
    return await DB.all(Due, IN_STATE, county_id, list(ids), State.ACCEPTED)


async def townships(county_id: int, since: date) -> list[str]:
    """Codes of those with records of some months."""
    rows = await DB.fetch(TOWNSHIPS, county_id, month_of(since))
    return [row["code"] for row in rows]


async def posted(county_id: int, code: str, unit: str, first: date, last: date) -> list[Due]:
    """Posted records of a rule, or of all, below a unit, or everywhere.

    By village, in the order in which they are decided.
    """
    return await DB.all(Due, POSTED, county_id, code, first, last, month_of(first), unit)


async def given(county_id: int, workers: Sequence[UUID], months: Sequence[int]) -> list[Given]:
    """What workers were given in some months (202610), of which there is at least one."""
    first, last = month_bounds(min(months))[0], month_bounds(max(months))[1]
    rows = await DB.fetch(GIVEN, county_id, list(workers), list(months), first, last)
    return [Given(**dict(row)) for row in rows]


async def given_in_years(
    county_id: int, workers: Sequence[UUID], years: Sequence[int]
) -> list[tuple[UUID, int, int]]:
    """(worker, year, 0.1 point), of at least one year."""
    span = min(years), max(years)
    rows = await DB.fetch(GIVEN_IN_YEARS, county_id, list(workers), list(years), *span)
    return [(row["worker_id"], row["year"], row["posted"]) for row in rows]


async def visits(
    county_id: int, grids: Sequence[str], households: Sequence[str], since: date
) -> list[Due]:
    """Counted visits from a day on."""
    return await DB.all(
        Due, VISITS, county_id, list(grids), list(households), since, month_of(since)
    )


async def reports(
    county_id: int, keys: Sequence[tuple[str, str, str]], first: date, last: date
) -> list[Report]:
    """Counted records of these (grid, rule, words), at least one, which others may repeat."""
    columns = [list(column) for column in zip(*keys, strict=True)]
    return await DB.all(Report, REPORTS, county_id, *columns, first, last)


async def store(
    county_id: int,
    rows: Sequence[Decided],
    at: datetime,
    resident_rules: Sequence[str],
) -> None:
    """Mark records that ``due`` has locked posted; under the rules named, a resident signed."""
    await DB.execute(
        STORE,
        county_id,
        [row.id for row in rows],
        [row.posted for row in rows],
        [row.decision for row in rows],
        [row.repeats for row in rows],
        at,
        list(resident_rules),
        [row.wallet for row in rows],
    )
