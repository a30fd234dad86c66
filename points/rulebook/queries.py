"""Statements of the rulebook."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from shared.database import DB


class Stored(msgspec.Struct, frozen=True):
    """A version as it stands in the table; ``body`` is JSON."""

    kind: str
    code: str
    body: str
    effective_to: date | None


IN_FORCE = """
SELECT kind, code, body::text AS body, effective_to FROM points.rule_version
WHERE county_id = $1 AND kind = $2 AND effective_from <= $3
  AND (effective_to IS NULL OR effective_to > $3)
ORDER BY code
"""
HISTORY = """
SELECT kind, code, body::text AS body, effective_to FROM points.rule_version
WHERE county_id = $1 AND code = $2 ORDER BY version
"""
ALL = """
SELECT kind, code, body::text AS body, effective_to FROM points.rule_version
WHERE county_id = $1 AND kind = $2 ORDER BY code, version
"""
ANY = "SELECT EXISTS (SELECT FROM points.rule_version WHERE county_id = $1)"
LOCK = "SELECT id FROM points.rule_version WHERE county_id = $1 AND code = $2 FOR UPDATE"
# Also one that has a last day of its own, where that lies behind the new version's first.
END = """
UPDATE points.rule_version SET effective_to = $3
WHERE county_id = $1 AND code = $2 AND (effective_to IS NULL OR effective_to > $3)
"""
CORRECT = """
UPDATE points.rule_version
SET body = $4::jsonb, effective_to = $5, recorded_at = $6, recorded_by = $7
WHERE county_id = $1 AND code = $2 AND version = $3
"""
INSERT = """
INSERT INTO points.rule_version
    (county_id, id, kind, code, version, effective_from, effective_to, body, recorded_at,
     recorded_by)
SELECT $1, v.id, v.kind, v.code, v.version, v.effective_from, v.effective_to, v.body::jsonb, $9, $10
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::int[], $6::date[], $7::date[], $8::text[])
    AS v (id, kind, code, version, effective_from, effective_to, body)
ON CONFLICT DO NOTHING
"""


class NewVersion(msgspec.Struct, frozen=True):
    """What is stored of a version."""

    id: UUID
    kind: str
    code: str
    version: int
    effective_from: date
    effective_to: date | None
    body: str


async def in_force(county_id: int, kind: str, on: date) -> list[Stored]:
    return await DB.all(Stored, IN_FORCE, county_id, kind, on)


async def history(county_id: int, code: str) -> list[Stored]:
    return await DB.all(Stored, HISTORY, county_id, code)


async def all_versions(county_id: int, kind: str) -> list[Stored]:
    return await DB.all(Stored, ALL, county_id, kind)


async def seeded(county_id: int) -> bool:
    return bool(await DB.fetchval(ANY, county_id))


async def lock(county_id: int, code: str) -> None:
    """One change of a rule at a time."""
    await DB.execute(LOCK, county_id, code)


async def end(county_id: int, code: str, on: date) -> None:
    await DB.execute(END, county_id, code, on)


async def correct(county_id: int, row: NewVersion, at: datetime, by: UUID) -> None:
    """Other terms for a version that has not begun."""
    terms = (row.body, row.effective_to)
    await DB.execute(CORRECT, county_id, row.code, row.version, *terms, at, by)


async def insert(county_id: int, rows: Sequence[NewVersion], at: datetime, by: UUID | None) -> None:
    await DB.execute(
        INSERT,
        county_id,
        [row.id for row in rows],
        [row.kind for row in rows],
        [row.code for row in rows],
        [row.version for row in rows],
        [row.effective_from for row in rows],
        [row.effective_to for row in rows],
        [row.body for row in rows],
        at,
        by,
    )
