"""Staging of an import: rows go in by COPY, and are told apart and stored set-wise.

The tables are temporary and live as long as the import's transaction, so that a killed process
leaves nothing behind. ``$1`` is the county everywhere; a staging table holds one county's file.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from points.rulebook.rules import Step
from points.work.posting_queries import Due
from shared.database import DB

# A roster that was imported a minute ago has no statistics yet, and joins of four tables by nested
# loops over the county would take as long as all the rest.
NO_LOOPS = "SET LOCAL enable_nestloop = off"
LOOPS = "SET LOCAL enable_nestloop = on"
CREATE = (
    "DROP TABLE IF EXISTS pg_temp.intake_row, pg_temp.intake_step",
    """
CREATE TEMPORARY TABLE intake_row (n int, sheet int, number int, work_date date, grid_code text,
    name text, code text, content text, quantity int, household text, confirmed_by text,
    text_key text, id uuid, worker_id uuid, version int, category text, gives int8, run_month int,
    kind text, reason text, outcome text, first int) ON COMMIT DROP""",
    """
CREATE TEMPORARY TABLE intake_step (worker_id uuid, grid_code text, code text, version int,
    step text, role text, unit_code text, step_grid text) ON COMMIT DROP""",
)
ROW = (
    "n", "sheet", "number", "work_date", "grid_code", "name", "code", "content", "quantity",
    "household", "confirmed_by", "text_key", "id", "worker_id", "version", "category", "gives",
    "run_month", "kind", "reason", "outcome",
)  # fmt: skip
STEP = ("worker_id", "grid_code", "code", "version", "step", "role", "unit_code", "step_grid")
TWICE = """
UPDATE intake_row r SET outcome = 'twice', kind = '重复', first = f.first
FROM (
    SELECT n, first_value(n) OVER (PARTITION BY id ORDER BY n) AS first FROM intake_row
    WHERE outcome = 'fresh') AS f
WHERE r.n = f.n AND f.first < f.n
"""
# The id knows no grid: the same words in another one are 重复, as they are within a file.
KNOWN = """
UPDATE intake_row r SET outcome = CASE WHEN k.grid_code = r.grid_code THEN 'known'
    ELSE 'elsewhere' END, kind = CASE WHEN k.grid_code = r.grid_code THEN '' ELSE '重复' END
FROM points.work_record k
WHERE r.outcome = 'fresh' AND k.county_id = $1 AND k.id = r.id
"""
STANDING = """
UPDATE intake_row r SET kind = '重复',
    outcome = CASE WHEN s.grid_code = r.grid_code THEN 'standing' ELSE 'elsewhere' END
FROM points.work_record s
WHERE r.outcome = 'fresh' AND s.county_id = $1 AND s.worker_id = r.worker_id
  AND s.work_date = r.work_date AND s.rule_code = r.code AND s.text_key = r.text_key
  AND s.standing
"""
COUNTS = "SELECT outcome, kind, count(*)::int AS count FROM intake_row GROUP BY outcome, kind"
INSERT_RECORDS = """
INSERT INTO points.work_record (county_id, id, worker_id, grid_code, rule_code, rule_version,
    category, work_date, run_month, declared_at, seq, text, text_key, quantity, household, photo,
    source, entered_by, fingerprint, state, repeats, recused, resident_how, reason, gives, posted)
SELECT $1, id, worker_id, grid_code, code, version, category, work_date, run_month, $2, n,
    content, text_key, quantity, household, NULL, 'import', $3, sha256(uuid_send(id)), 'pending',
    NULL, '{}', '', '', gives, 0
FROM intake_row WHERE outcome = 'fresh' ORDER BY id
"""
COMBINATIONS = """
SELECT DISTINCT worker_id, grid_code, code, version FROM intake_row WHERE outcome = 'fresh'
"""
# Ids are shaped as UUIDv7: $2 is the time in hex, the tail follows from record and step.
INSERT_STEPS = """
INSERT INTO points.verification (county_id, id, record_id, step, role, unit_code, grid_code,
    verdict, authority, via)
SELECT $1, ($2 || '7' || substr(m.tail, 1, 3) || '8' || substr(m.tail, 4, 15))::uuid, r.id, s.step,
    s.role, s.unit_code, s.step_grid, 'open', '', ''
FROM intake_row r
JOIN intake_step s ON s.worker_id = r.worker_id AND s.grid_code = r.grid_code AND s.code = r.code
    AND s.version = r.version
CROSS JOIN LATERAL (SELECT md5(r.id::text || s.step) AS tail) AS m
WHERE r.outcome = 'fresh' ORDER BY r.id
"""
SIGNED = """
SELECT r.n, r.id, r.worker_id, r.grid_code, r.code, r.version, r.work_date, r.confirmed_by,
    v.id AS step_id, v.step
FROM intake_row r JOIN points.verification v ON v.county_id = $1 AND v.record_id = r.id
WHERE r.outcome = 'fresh' AND r.confirmed_by <> '' AND r.n >= $2 AND r.n < $3
ORDER BY r.n, v.step
"""
ANY_SIGNED = """
SELECT EXISTS (SELECT FROM intake_row WHERE outcome = 'fresh' AND confirmed_by <> '')
"""
INDEX_SIGNED = "CREATE INDEX ON intake_row (n) WHERE outcome = 'fresh' AND confirmed_by <> ''"
SIGNED_IDS = """
SELECT id FROM intake_row WHERE outcome = 'fresh' AND confirmed_by <> '' AND n >= $1 AND n < $2
"""
DUE = """
SELECT id, worker_id, grid_code, code AS rule_code, version AS rule_version, category, work_date,
    quantity, household, text_key, NULL::uuid AS repeats, 0 AS posted, NULL::int8 AS wallet
FROM intake_row WHERE outcome = 'fresh' ORDER BY work_date, n
"""
LINES = """
SELECT r.n, r.sheet, r.number, r.work_date, r.grid_code, r.name, r.code, r.content, r.quantity,
    r.household, r.confirmed_by, r.outcome, r.reason, r.id,
    f.sheet AS first_sheet, f.number AS first_number, f.grid_code AS first_grid
FROM intake_row r LEFT JOIN intake_row f ON f.n = r.first
WHERE NOT $1 OR r.outcome NOT IN ('fresh', 'known') ORDER BY r.n LIMIT $2
"""
BY_RULE = """
SELECT code, count(*) FILTER (WHERE household = '')::int AS without_household,
    count(*) FILTER (WHERE confirmed_by <> '')::int AS signed, sum(gives)::int8 AS gives
FROM intake_row WHERE outcome = 'fresh' GROUP BY code ORDER BY code COLLATE "C"
"""


class Combination(msgspec.Struct, frozen=True):
    """Whose record under which rule, as far as it decides who confirms it."""

    worker_id: UUID
    grid_code: str
    code: str
    version: int


class Signed(msgspec.Struct, frozen=True):
    """A step of a row in which somebody is named as verifier."""

    n: int
    id: UUID
    worker_id: UUID
    grid_code: str
    code: str
    version: int
    work_date: date
    confirmed_by: str
    step_id: UUID
    step: Step


class StagedLine(msgspec.Struct, frozen=True):
    """A row as the report needs it."""

    n: int
    sheet: int
    number: int
    work_date: date | None
    grid_code: str
    name: str
    code: str
    content: str
    quantity: int | None
    household: str
    confirmed_by: str
    outcome: str
    reason: str
    id: UUID | None
    first_sheet: int | None
    first_number: int | None
    first_grid: str | None


class ByRule(msgspec.Struct, frozen=True):
    """Rows of one rule that became records."""

    code: str
    without_household: int
    signed: int
    gives: int


@asynccontextmanager
async def without_loops() -> AsyncIterator[None]:
    """Plan joins of whole tables as such, whatever the estimates say; inside a transaction."""
    await DB.execute(NO_LOOPS)
    yield
    await DB.execute(LOOPS)


async def create() -> None:
    """Empty staging tables, gone with the transaction."""
    for statement in CREATE:
        await DB.execute(statement)


async def stage(rows: AsyncIterator[tuple[Any, ...]]) -> None:
    """Stream rows (``ROW``) into staging."""
    async with DB.connection() as connection:
        await connection.copy_records_to_table("intake_row", records=rows, columns=ROW)
    await DB.execute("ANALYZE intake_row")


async def stage_steps(rows: Sequence[tuple[Any, ...]]) -> None:
    """Who confirms what (``STEP``), once for all rows alike."""
    async with DB.connection() as connection:
        await connection.copy_records_to_table("intake_step", records=rows, columns=STEP)
    await DB.execute("ANALYZE intake_step")


async def tell_apart(county_id: int) -> list[tuple[str, str, int]]:
    """Mark rows that are in the file twice, imported before or declared otherwise.

    Answers how many rows there are by (outcome, kind of refusal).
    """
    await DB.execute(TWICE)
    await DB.execute(KNOWN, county_id)
    await DB.execute(STANDING, county_id)
    return [(row["outcome"], row["kind"], row["count"]) for row in await DB.fetch(COUNTS)]


async def insert_records(county_id: int, at: datetime, entered_by: UUID | None) -> None:
    await DB.execute(INSERT_RECORDS, county_id, at, entered_by)


async def combinations() -> list[Combination]:
    return await DB.all(Combination, COMBINATIONS)


async def insert_steps(county_id: int, at: datetime) -> None:
    stamp = f"{int(at.timestamp() * 1000):012x}"
    await DB.execute(INSERT_STEPS, county_id, stamp)


async def any_signed() -> bool:
    """Whether a new row names a verifier; then they are made quick to find."""
    found = bool(await DB.fetchval(ANY_SIGNED))
    if found:
        await DB.execute(INDEX_SIGNED)
    return found


async def signed(county_id: int, first: int, after: int) -> list[Signed]:
    """Steps of signed rows ``first`` to before ``after``."""
    return await DB.all(Signed, SIGNED, county_id, first, after)


async def signed_ids(first: int, after: int) -> list[UUID]:
    return [row["id"] for row in await DB.fetch(SIGNED_IDS, first, after)]


async def due() -> list[Due]:
    """New records as a decision takes them, in its order."""
    return [Due(**dict(row)) for row in await DB.fetch(DUE)]


async def lines(limit: int, *, refused: bool) -> list[StagedLine]:
    """Rows in their order, or only the refused ones."""
    return await DB.all(StagedLine, LINES, refused, limit)


async def by_rule() -> list[ByRule]:
    return await DB.all(ByRule, BY_RULE)
