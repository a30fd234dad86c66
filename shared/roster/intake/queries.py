"""SQL of the roster import: the county's roster read whole, the plan written set-wise."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.database import DB
from shared.roster.intake.schemas import (
    Correction,
    End,
    Known,
    KnownPerson,
    KnownPost,
    KnownTenure,
    Start,
    UnitChange,
)
from shared.roster.schemas import UnitRow

UNITS = """
SELECT id, code, kind, name, grid_type, parent_id, households, closed_on
FROM shared.unit WHERE county_id = $1
"""
PEOPLE = """
SELECT id, name, phone_hmac, employment_type, full_time, political
FROM shared.person WHERE county_id = $1
"""
POSTS = """
SELECT p.id, u.code AS unit_code, p.role, p.seat, p.grids, p.closed_on IS NOT NULL AS closed
FROM shared.post p
JOIN shared.unit u ON u.county_id = p.county_id AND u.id = p.unit_id
WHERE p.county_id = $1
"""
TENURES = """
SELECT id, post_id, person_id, valid_from, valid_to FROM shared.assignment WHERE county_id = $1
"""

INSERT_UNITS = """
INSERT INTO shared.unit (county_id, id, code, kind, name, grid_type, parent_id, households)
SELECT $1::int, * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
                              $7::uuid[], $8::int[])
"""
UPDATE_UNITS = """
UPDATE shared.unit u SET name = c.name, households = c.households, closed_on = NULL
FROM unnest($2::uuid[], $3::text[], $4::int[]) AS c (id, name, households)
WHERE u.county_id = $1 AND u.id = c.id
"""
INSERT_PEOPLE = """
INSERT INTO shared.person (county_id, id, name, name_pinyin, name_initials, phone_cipher,
    phone_hmac, phone_last4, employment_type, full_time, political, version, created_at)
SELECT $1::int, p.*, 1, $2::timestamptz
FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::bytea[], $9::text[],
            $10::text[], $11::bool[], $12::text[]) AS p
"""
UPDATE_PEOPLE = """
UPDATE shared.person p SET name = c.name, name_pinyin = c.pinyin, name_initials = c.initials,
    phone_cipher = COALESCE(c.cipher, p.phone_cipher), phone_hmac = c.hmac,
    phone_last4 = COALESCE(c.last4, p.phone_last4), employment_type = c.employment,
    full_time = c.full_time, political = c.political, version = p.version + 1
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::bytea[], $8::text[],
            $9::text[], $10::bool[], $11::text[])
    AS c (id, name, pinyin, initials, cipher, hmac, last4, employment, full_time, political)
WHERE p.county_id = $1 AND p.id = c.id
"""
INSERT_POSTS = """
INSERT INTO shared.post (county_id, id, unit_id, role, seat, grids)
SELECT $1::int, p.id, u.id, p.role, p.seat,
       COALESCE(string_to_array(NULLIF(p.grids, ''), ','), '{}')
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::int[], $6::text[])
    AS p (id, code, role, seat, grids)
JOIN shared.unit u ON u.county_id = $1 AND u.code = p.code
"""
END_TENURES = """
UPDATE shared.assignment a SET valid_to = e.day, reason = e.reason
FROM unnest($2::uuid[], $3::date[], $4::text[]) AS e (id, day, reason)
WHERE a.county_id = $1 AND a.id = e.id
"""
CORRECT_TENURES = """
UPDATE shared.assignment a SET valid_from = c.day
FROM unnest($2::uuid[], $3::date[]) AS c (id, day)
WHERE a.county_id = $1 AND a.id = c.id
"""
INSERT_TENURES = """
INSERT INTO shared.assignment (county_id, id, post_id, person_id, valid_from, reason, recorded_at,
    recorded_by)
SELECT $1::int, s.*, $2::text, $3::timestamptz, $4::uuid
FROM unnest($5::uuid[], $6::uuid[], $7::uuid[], $8::date[]) AS s
"""


async def lock_county(county_id: int) -> None:
    """One roster import of a county at a time."""
    await DB.execute("SELECT FROM shared.county WHERE id = $1 FOR UPDATE", county_id)


async def known(county_id: int) -> Known:
    """Everything a plan compares with."""
    units = await DB.all(UnitRow, UNITS, county_id)
    people = await DB.all(KnownPerson, PEOPLE, county_id)
    posts = await DB.all(KnownPost, POSTS, county_id)
    tenures = await DB.all(KnownTenure, TENURES, county_id)
    return Known(
        units={unit.code: unit for unit in units},
        people={person.id: person for person in people},
        posts={post.id: post for post in posts},
        tenures={tenure.id: tenure for tenure in tenures},
    )


async def insert_units(county_id: int, units: Sequence[UnitRow]) -> None:
    rows = [
        (u.id, u.code, u.kind.value, u.name, u.grid_type, u.parent_id, u.households) for u in units
    ]
    await DB.execute(INSERT_UNITS, county_id, *_columns(rows, 7))


async def update_units(county_id: int, changes: Sequence[UnitChange]) -> None:
    rows = [(change.id, change.name, change.households) for change in changes]
    await DB.execute(UPDATE_UNITS, county_id, *_columns(rows, 3))


async def insert_people(county_id: int, now: datetime, rows: Sequence[Sequence[Any]]) -> None:
    """Rows: id, name, pinyin, initials, cipher, hmac, last4, employment, full_time, political."""
    await DB.execute(INSERT_PEOPLE, county_id, now, *_columns(rows, 10))


async def update_people(county_id: int, rows: Sequence[Sequence[Any]]) -> None:
    """The same columns; cipher and last4 None = the phone stays."""
    await DB.execute(UPDATE_PEOPLE, county_id, *_columns(rows, 10))


async def insert_posts(county_id: int, posts: Sequence[KnownPost]) -> None:
    rows = [(p.id, p.unit_code, p.role.value, p.seat, ",".join(p.grids)) for p in posts]
    await DB.execute(INSERT_POSTS, county_id, *_columns(rows, 5))


async def end_tenures(county_id: int, ends: Sequence[End]) -> None:
    rows = [(end.tenure_id, end.on, end.reason) for end in ends]
    await DB.execute(END_TENURES, county_id, *_columns(rows, 3))


async def correct_tenures(county_id: int, corrections: Sequence[Correction]) -> None:
    rows = [(correction.tenure_id, correction.after) for correction in corrections]
    await DB.execute(CORRECT_TENURES, county_id, *_columns(rows, 2))


async def insert_tenures(
    county_id: int, starts: Sequence[Start], reason: str, now: datetime, actor_id: UUID | None
) -> None:
    rows = [(start.id, start.post_id, start.person_id, start.valid_from) for start in starts]
    await DB.execute(INSERT_TENURES, county_id, reason, now, actor_id, *_columns(rows, 4))


def _columns(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    """Arrays for unnest."""
    return [[row[index] for row in rows] for index in range(width)]
