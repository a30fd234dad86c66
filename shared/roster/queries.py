"""SQL of the roster. An ancestor's code is a prefix of its descendants', so subtree = prefix.

``$1`` is the county everywhere; ``on`` is a date in China. An assignment holds on a day when
``valid_from <= day`` and the day is before ``valid_to``.
"""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from shared.database import DB
from shared.identity.actor import Duty
from shared.roster.roles import Role, UnitKind
from shared.roster.schemas import Holder, PersonRow, Place, Tenure, UnitRow, WorkerSpan

UNIT = "SELECT id, code, kind, name, grid_type, parent_id, households, closed_on FROM shared.unit"
PERSON = """
SELECT id, name, phone_cipher, phone_hmac, phone_last4, employment_type, full_time, political,
       version
FROM shared.person
"""

DUTIES = """
SELECT p.role, u.code AS unit_code, p.id AS post_id, p.grids, p.subject_id
FROM shared.assignment a
JOIN shared.post p ON p.county_id = a.county_id AND p.id = a.post_id
JOIN shared.unit u ON u.county_id = p.county_id AND u.id = p.unit_id
WHERE a.county_id = $1 AND a.person_id = $2
  AND a.valid_from <= $3 AND (a.valid_to IS NULL OR a.valid_to > $3)
ORDER BY u.code COLLATE "C", p.role, p.seat
"""

HOLDERS = """
SELECT a.person_id, n.name, p.id AS post_id, u.code AS unit_code, p.grids, p.subject_id
FROM shared.unit u
JOIN shared.post p ON p.county_id = u.county_id AND p.unit_id = u.id AND p.role = $2
JOIN shared.assignment a ON a.county_id = p.county_id AND a.post_id = p.id
  AND a.valid_from <= $4 AND (a.valid_to IS NULL OR a.valid_to > $4)
JOIN shared.person n ON n.county_id = a.county_id AND n.id = a.person_id
WHERE u.county_id = $1 AND u.code = $3
ORDER BY p.seat, n.name_pinyin COLLATE "C"
"""

PLACES = """
SELECT DISTINCT ON (a.person_id) a.person_id, g.code AS grid_code, g.name AS grid_name,
       g.grid_type, v.code AS village_code, v.name AS village_name, t.code AS township_code,
       t.name AS township_name
FROM shared.assignment a
JOIN shared.post p ON p.county_id = a.county_id AND p.id = a.post_id AND p.role = 'gridworker'
JOIN shared.unit g ON g.county_id = p.county_id AND g.id = p.unit_id
JOIN shared.unit v ON v.county_id = g.county_id AND v.id = g.parent_id
JOIN shared.unit t ON t.county_id = v.county_id AND t.id = v.parent_id
WHERE a.county_id = $1 AND a.person_id = ANY($2)
  AND a.valid_from <= $3 AND (a.valid_to IS NULL OR a.valid_to > $3)
  AND starts_with(g.code, $4)
ORDER BY a.person_id, g.code COLLATE "C"
"""

WORKERS = """
SELECT a.person_id, n.name, u.code AS grid_code, a.valid_from, a.valid_to
FROM shared.assignment a
JOIN shared.post p ON p.county_id = a.county_id AND p.id = a.post_id AND p.role = 'gridworker'
JOIN shared.unit u ON u.county_id = p.county_id AND u.id = p.unit_id
JOIN shared.person n ON n.county_id = a.county_id AND n.id = a.person_id
WHERE a.county_id = $1 AND starts_with(u.code, $2)
  AND a.valid_from <= $4 AND (a.valid_to IS NULL OR a.valid_to > $3)
ORDER BY u.code COLLATE "C", a.valid_from
"""

TENURES = """
SELECT a.id, a.person_id, n.name, p.id AS post_id, p.role, p.seat, u.code AS unit_code,
       u.name AS unit_name, a.valid_from, a.valid_to, a.reason, p.grids, p.subject_id
FROM shared.assignment a
JOIN shared.post p ON p.county_id = a.county_id AND p.id = a.post_id
JOIN shared.unit u ON u.county_id = p.county_id AND u.id = p.unit_id
JOIN shared.person n ON n.county_id = a.county_id AND n.id = a.person_id
"""

INSERT_UNIT = """
INSERT INTO shared.unit (county_id, id, code, kind, name, grid_type, parent_id, households)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
INSERT_PERSON = """
INSERT INTO shared.person (county_id, id, name, name_pinyin, name_initials, phone_cipher,
    phone_hmac, phone_last4, employment_type, full_time, political, version, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12)
ON CONFLICT (county_id, phone_hmac) DO NOTHING
"""
INSERT_POST = """
INSERT INTO shared.post (county_id, id, unit_id, role, seat, grids, subject_id)
SELECT $1, $2, $3, $4,
       (SELECT COALESCE(max(seat), 0) + 1 FROM shared.post
        WHERE county_id = $1 AND unit_id = $3 AND role = $4
          AND subject_id IS NOT DISTINCT FROM $6::uuid),
       $5, $6
"""
INSERT_ASSIGNMENT = """
INSERT INTO shared.assignment (county_id, id, post_id, person_id, valid_from, valid_to, reason,
    recorded_at, recorded_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""


async def insert_county(county_id: int, name: str) -> None:
    await DB.execute(
        "INSERT INTO shared.county (id, name, settings) VALUES ($1, $2, '{}')"
        " ON CONFLICT (id) DO NOTHING",
        county_id,
        name,
    )


async def duties(county_id: int, person_id: UUID, on: date) -> list[Duty]:
    return await DB.all(Duty, DUTIES, county_id, person_id, on)


async def holders(county_id: int, role: Role, unit_code: str, on: date) -> list[Holder]:
    return await DB.all(Holder, HOLDERS, county_id, role, unit_code, on)


async def person(county_id: int, person_id: UUID) -> PersonRow | None:
    return await DB.one(
        PersonRow, PERSON + " WHERE county_id = $1 AND id = $2", county_id, person_id
    )


async def people(county_id: int, ids: Sequence[UUID]) -> list[PersonRow]:
    sql = PERSON + " WHERE county_id = $1 AND id = ANY($2)"
    return await DB.all(PersonRow, sql, county_id, list(ids))


async def person_by_phone(county_id: int, phone_hmac: bytes) -> PersonRow | None:
    sql = PERSON + " WHERE county_id = $1 AND phone_hmac = $2"
    return await DB.one(PersonRow, sql, county_id, phone_hmac)


async def places(
    county_id: int, ids: Sequence[UUID], on: date, code: str = ""
) -> dict[UUID, Place]:
    rows = await DB.fetch(PLACES, county_id, list(ids), on, code)
    return {row["person_id"]: msgspec.convert(dict(row), Place) for row in rows}


async def workers(county_id: int, code: str, first: date, last: date) -> list[WorkerSpan]:
    return await DB.all(WorkerSpan, WORKERS, county_id, code, first, last)


async def unit_by_code(county_id: int, code: str) -> UnitRow | None:
    return await DB.one(UnitRow, UNIT + " WHERE county_id = $1 AND code = $2", county_id, code)


async def units_below(county_id: int, code: str, kind: UnitKind | None) -> list[UnitRow]:
    sql = (
        UNIT + " WHERE county_id = $1 AND starts_with(code, $2) AND ($3::text IS NULL OR kind = $3)"
        ' ORDER BY code COLLATE "C"'
    )
    return await DB.all(UnitRow, sql, county_id, code, kind)


async def units(county_id: int, codes: Sequence[str]) -> list[UnitRow]:
    sql = UNIT + ' WHERE county_id = $1 AND code = ANY($2) ORDER BY code COLLATE "C"'
    return await DB.all(UnitRow, sql, county_id, list(codes))


async def tenures_of_person(county_id: int, person_id: UUID) -> list[Tenure]:
    sql = TENURES + " WHERE a.county_id = $1 AND a.person_id = $2 ORDER BY a.valid_from DESC, a.id"
    return await DB.all(Tenure, sql, county_id, person_id)


async def tenures_of_post(county_id: int, post_id: UUID) -> list[Tenure]:
    sql = TENURES + " WHERE a.county_id = $1 AND a.post_id = $2 ORDER BY a.valid_from DESC, a.id"
    return await DB.all(Tenure, sql, county_id, post_id)


async def tenure(county_id: int, assignment_id: UUID) -> Tenure | None:
    sql = TENURES + " WHERE a.county_id = $1 AND a.id = $2"
    return await DB.one(Tenure, sql, county_id, assignment_id)


async def insert_unit(county_id: int, unit: UnitRow) -> None:
    await DB.execute(
        INSERT_UNIT,
        county_id,
        unit.id,
        unit.code,
        unit.kind,
        unit.name,
        unit.grid_type,
        unit.parent_id,
        unit.households,
    )


async def insert_person(
    county_id: int, row: PersonRow, pinyin: tuple[str, str], created_at: datetime
) -> bool:
    """False when the phone is somebody's already."""
    changed = await DB.count(
        INSERT_PERSON,
        county_id,
        row.id,
        row.name,
        *pinyin,
        row.phone_cipher,
        row.phone_hmac,
        row.phone_last4,
        row.employment_type,
        row.full_time,
        row.political,
        created_at,
    )
    return changed == 1


async def lock_unit(county_id: int, unit_id: UUID) -> None:
    """Order the writers that number the seats of one unit."""
    await DB.execute(
        "SELECT FROM shared.unit WHERE county_id = $1 AND id = $2 FOR UPDATE", county_id, unit_id
    )


async def insert_post(
    county_id: int,
    post_id: UUID,
    unit_id: UUID,
    role: Role,
    grids: Sequence[str],
    subject_id: UUID | None,
) -> None:
    await DB.execute(INSERT_POST, county_id, post_id, unit_id, role, list(grids), subject_id)


async def insert_assignment(
    county_id: int,
    assignment_id: UUID,
    post_id: UUID,
    person_id: UUID,
    period: tuple[date, date | None],
    reason: str,
    recorded: tuple[datetime, UUID | None],
) -> None:
    await DB.execute(
        INSERT_ASSIGNMENT,
        county_id,
        assignment_id,
        post_id,
        person_id,
        *period,
        reason,
        *recorded,
    )


async def end_assignment(county_id: int, assignment_id: UUID, on: date, reason: str) -> bool:
    """True when an assignment open on that day now ends on it."""
    changed = await DB.count(
        "UPDATE shared.assignment SET valid_to = $3, reason = $4"
        " WHERE county_id = $1 AND id = $2 AND valid_from < $3"
        " AND (valid_to IS NULL OR valid_to > $3)",
        county_id,
        assignment_id,
        on,
        reason,
    )
    return changed == 1


async def resume_assignment(county_id: int, assignment_id: UUID, reason: str) -> bool:
    """True when an ended assignment to a post that still exists goes on without an end."""
    changed = await DB.count(
        "UPDATE shared.assignment a SET valid_to = NULL, reason = $3"
        " FROM shared.post p WHERE a.county_id = $1 AND a.id = $2 AND a.valid_to IS NOT NULL"
        " AND p.county_id = $1 AND p.id = a.post_id AND p.closed_on IS NULL",
        county_id,
        assignment_id,
        reason,
    )
    return changed == 1
