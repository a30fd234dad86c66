"""SQL of double-random checks. ``$1`` is the county everywhere."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from appraisal.duty.schemas import Candidate, CheckItem, CheckRow
from shared import lock_queries
from shared.database import DB


class NewCheck(msgspec.Struct, frozen=True, kw_only=True):
    """A check as it is opened; the fields stand in the order of the INSERT."""

    id: UUID
    title: str
    unit_code: str
    mode: str
    first_day: date
    last_day: date
    people: int
    per_person: int
    inspectors: list[str]
    workers: int
    records: int
    listing: bytes | None
    list_hash: bytes | None
    value_source: str
    state: str
    opened_by: UUID
    opened_at: datetime


class NewItem(msgspec.Struct, frozen=True, kw_only=True):
    """One drawn record."""

    id: UUID
    position: int
    person_id: UUID
    village_code: str
    record_id: UUID | None
    label: str
    worked_on: date | None
    inspector: str


class NewResult(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of one item."""

    id: UUID
    item_id: UUID
    version: int
    correct: bool
    note: str
    checked_on: date
    checked_by: str


CANDIDATES = """
SELECT r.record_id, r.person_id, r.work_date, r.grid_code, r.label
FROM points.checkable_record r
WHERE r.county_id = $1 AND starts_with(r.grid_code, $2) AND r.work_date BETWEEN $3 AND $4
LIMIT $5
"""
CANDIDATES_OF = """
SELECT r.record_id, r.person_id, r.work_date, r.grid_code, r.label
FROM points.checkable_record r WHERE r.county_id = $1 AND r.record_id = ANY ($2)
"""
# Results are added up by check in one go: check by check each looked through all of them.
CHECK = """
SELECT k.id, k.title, k.unit_code, u.name AS unit_name, k.mode, k.first_day, k.last_day, k.people,
       k.per_person, k.inspectors, k.workers, k.records, k.list_hash, k.value, k.value_source,
       k.seed, k.state, k.opened_by, o.name AS opened_by_name, k.opened_at,
       d.name AS drawn_by_name, k.drawn_at, COALESCE(s.items, 0) AS items,
       COALESCE(s.checked, 0) AS checked, COALESCE(s.correct, 0) AS correct
FROM appraisal.random_check k
JOIN shared.unit u ON u.county_id = k.county_id AND u.code = k.unit_code
JOIN shared.person o ON o.county_id = k.county_id AND o.id = k.opened_by
LEFT JOIN shared.person d ON d.county_id = k.county_id AND d.id = k.drawn_by
LEFT JOIN (
    SELECT i.check_id, count(*) AS items, count(r.id) AS checked,
           count(*) FILTER (WHERE r.correct) AS correct
    FROM appraisal.random_item i
    LEFT JOIN appraisal.random_result r ON r.county_id = $1 AND r.item_id = i.id AND r.current
    WHERE i.county_id = $1 GROUP BY i.check_id
) s ON s.check_id = k.id
WHERE k.county_id = $1
"""
ITEMS = """
SELECT i.id, i.position, i.person_id, n.name, i.village_code, v.name AS village_name,
       t.name AS township_name, g.code AS grid_code, i.label, i.worked_on,
       i.record_id, i.inspector, r.version, r.correct, r.note,
       r.checked_on, r.checked_by
FROM appraisal.random_item i
JOIN shared.person n ON n.county_id = i.county_id AND n.id = i.person_id
JOIN shared.unit v ON v.county_id = i.county_id AND v.code = i.village_code
JOIN shared.unit t ON t.county_id = i.county_id AND t.code = left(i.village_code, 9)
LEFT JOIN LATERAL (
    SELECT min(u.code) AS code FROM shared.assignment a
    JOIN shared.post p ON p.county_id = $1 AND p.id = a.post_id AND p.role = 'gridworker'
    JOIN shared.unit u ON u.county_id = $1 AND u.id = p.unit_id
        AND starts_with(u.code, i.village_code)
    WHERE a.county_id = $1 AND a.person_id = i.person_id
) g ON true
LEFT JOIN appraisal.random_result r ON r.county_id = i.county_id AND r.item_id = i.id AND r.current
WHERE i.county_id = $1
"""
BEFORE_WAITING = """
SELECT count(*) FROM appraisal.random_item
WHERE county_id = $1 AND check_id = $2 AND position < (
    SELECT min(i.position) FROM appraisal.random_item i
    WHERE i.county_id = $1 AND i.check_id = $2 AND NOT EXISTS (
        SELECT FROM appraisal.random_result r
        WHERE r.county_id = $1 AND r.item_id = i.id AND r.current))
"""
INSERT_CHECK = """
INSERT INTO appraisal.random_check (county_id, id, title, unit_code, mode, first_day, last_day,
    people, per_person, inspectors, workers, records, listing, list_hash, value_source, state,
    opened_by, opened_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
"""
SAME = """
SELECT id FROM appraisal.random_check
WHERE county_id = $1 AND title = $2 AND unit_code = $3 AND mode = $4 AND first_day = $5
  AND last_day = $6 AND people = $7 AND per_person = $8 AND inspectors = $9 AND value_source = $10
  AND state = $11 AND opened_by = $12 AND list_hash IS NOT DISTINCT FROM $13
ORDER BY id LIMIT 1
"""
SET_DRAWN = """
UPDATE appraisal.random_check SET state = 'drawn', value = $3, value_source = $4, seed = $5,
    drawn_by = $6, drawn_at = $7
WHERE county_id = $1 AND id = $2
"""
INSERT_ITEMS = """
INSERT INTO appraisal.random_item (county_id, check_id, id, position, person_id, village_code,
    record_id, label, worked_on, inspector)
SELECT $1, $2::uuid, * FROM unnest($3::uuid[], $4::int[], $5::uuid[], $6::text[], $7::uuid[],
    $8::text[], $9::date[], $10::text[])
"""
RETIRE = """
UPDATE appraisal.random_result SET current = false
WHERE county_id = $1 AND item_id = ANY ($2) AND current
"""
INSERT_RESULTS = """
INSERT INTO appraisal.random_result (county_id, reason, source, entered_by, entered_at, current,
    id, item_id, version, correct, note, checked_on, checked_by)
SELECT $1, $2, $3, $4::uuid, $5::timestamptz, true, *
FROM unnest($6::uuid[], $7::uuid[], $8::int[], $9::bool[], $10::text[], $11::date[], $12::text[])
"""


async def candidates(
    county_id: int, unit_code: str, first: date, last: date, limit: int
) -> list[Candidate]:
    """Posted records of a subtree in a period, at most ``limit``."""
    return await DB.all(Candidate, CANDIDATES, county_id, unit_code, first, last, limit)


async def candidates_of(county_id: int, ids: Sequence[UUID]) -> dict[UUID, Candidate]:
    found = await DB.all(Candidate, CANDIDATES_OF, county_id, list(ids))
    return {one.record_id: one for one in found}


async def check(county_id: int, check_id: UUID) -> CheckRow | None:
    return await DB.one(CheckRow, CHECK + " AND k.id = $2", county_id, check_id)


async def lock(county_id: int, check_id: UUID) -> str | None:
    """The check's state, locked until the transaction ends."""
    state: str | None = await DB.fetchval(
        "SELECT state FROM appraisal.random_check WHERE county_id = $1 AND id = $2 FOR UPDATE",
        county_id,
        check_id,
    )
    return state


async def checks(county_id: int, codes: Sequence[str]) -> list[CheckRow]:
    sql = CHECK + " AND k.unit_code ^@ ANY ($2::text[]) ORDER BY k.opened_at DESC"
    return await DB.all(CheckRow, sql, county_id, list(codes))


async def listing(county_id: int, check_id: UUID) -> bytes | None:
    """The frozen list, compressed."""
    found: bytes | None = await DB.fetchval(
        "SELECT listing FROM appraisal.random_check WHERE county_id = $1 AND id = $2",
        county_id,
        check_id,
    )
    return found


async def items(county_id: int, check_id: UUID) -> list[CheckItem]:
    sql = ITEMS + " AND i.check_id = $2 ORDER BY i.position, i.id"
    return await DB.all(CheckItem, sql, county_id, check_id)


async def items_of(county_id: int, check_id: UUID, ids: Sequence[UUID]) -> list[CheckItem]:
    """Those of a check among ``ids``."""
    sql = ITEMS + " AND i.check_id = $2 AND i.id = ANY ($3) ORDER BY i.position, i.id"
    return await DB.all(CheckItem, sql, county_id, check_id, list(ids))


async def part(county_id: int, check_id: UUID, limit: int, offset: int) -> list[CheckItem]:
    sql = ITEMS + " AND i.check_id = $2 ORDER BY i.position, i.id LIMIT $3 OFFSET $4"
    return await DB.all(CheckItem, sql, county_id, check_id, limit, offset)


async def waiting(county_id: int, check_id: UUID, after: int, limit: int) -> list[CheckItem]:
    """Records without a result behind the position ``after``."""
    sql = ITEMS + (
        " AND i.check_id = $2 AND r.id IS NULL AND i.position > $3 ORDER BY i.position LIMIT $4"
    )
    return await DB.all(CheckItem, sql, county_id, check_id, after, limit)


async def before_waiting(county_id: int, check_id: UUID) -> int:
    """How many records stand before the first one without a result; none if all have one."""
    count: int = await DB.fetchval(BEFORE_WAITING, county_id, check_id)
    return count


async def of_person(county_id: int, person_id: UUID, first: date, last: date) -> list[CheckItem]:
    """One worker's records of the checks that a period's score counts, latest first."""
    sql = ITEMS + (
        " AND i.person_id = $2 AND EXISTS (SELECT FROM appraisal.random_check k"
        " WHERE k.county_id = $1 AND k.id = i.check_id AND k.state = 'drawn'"
        " AND k.last_day BETWEEN $3 AND $4)"
        " ORDER BY i.worked_on DESC NULLS LAST, i.id LIMIT 200"
    )
    return await DB.all(CheckItem, sql, county_id, person_id, first, last)


async def results(county_id: int, items: Sequence[UUID]) -> dict[UUID, int]:
    """Item → version that counts, locked."""
    rows = await DB.fetch(
        "SELECT item_id, version FROM appraisal.random_result"
        " WHERE county_id = $1 AND item_id = ANY ($2) AND current FOR UPDATE",
        county_id,
        list(items),
    )
    return {row["item_id"]: row["version"] for row in rows}


async def insert_check(county_id: int, row: NewCheck) -> None:
    await DB.execute(INSERT_CHECK, county_id, *msgspec.structs.astuple(row))


async def lock_opening(county_id: int) -> None:
    """Checks of a county are opened one after another: each sees those before it."""
    await lock_queries.take(county_id, "appraisal.random_check")


async def same(county_id: int, row: NewCheck) -> UUID | None:
    """The same check of the same list, opened by the same person, where it waits."""
    found: UUID | None = await DB.fetchval(
        SAME,
        county_id,
        row.title,
        row.unit_code,
        row.mode,
        row.first_day,
        row.last_day,
        row.people,
        row.per_person,
        row.inspectors,
        row.value_source,
        row.state,
        row.opened_by,
        row.list_hash,
    )
    return found


async def set_state(county_id: int, check_id: UUID, state: str) -> None:
    await DB.execute(
        "UPDATE appraisal.random_check SET state = $3 WHERE county_id = $1 AND id = $2",
        county_id,
        check_id,
        state,
    )


async def set_drawn(
    county_id: int,
    check_id: UUID,
    value: str,
    source: str,
    seed: bytes,
    drawn: tuple[UUID, datetime],
) -> None:
    await DB.execute(SET_DRAWN, county_id, check_id, value, source, seed, *drawn)


async def insert_items(county_id: int, check_id: UUID, rows: Sequence[NewItem]) -> None:
    await DB.execute(INSERT_ITEMS, county_id, check_id, *_columns(rows, 8))


async def retire(county_id: int, items: Sequence[UUID]) -> None:
    await DB.execute(RETIRE, county_id, list(items))


async def insert_results(
    county_id: int, stamp: tuple[str, str, UUID, datetime], rows: Sequence[NewResult]
) -> None:
    """``stamp``: reason, source, who, when."""
    await DB.execute(INSERT_RESULTS, county_id, *stamp, *_columns(rows, 7))


def _columns(rows: Sequence[msgspec.Struct], width: int) -> list[list[Any]]:
    """Arrays for unnest."""
    tuples = [msgspec.structs.astuple(row) for row in rows]
    return [[row[index] for row in tuples] for index in range(width)]
