"""SQL of previewed files, the roster's and the appraisal's alike."""

from datetime import datetime
from uuid import UUID

import msgspec

from shared.database import DB

INSERT = """
INSERT INTO shared.import_run (county_id, id, kind, file_name, file_sha256, created_at, created_by,
    applied_at, summary, payload)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
RUN = """
SELECT id, kind, file_name, file_sha256, created_at, created_by, applied_at, summary, payload
FROM shared.import_run WHERE county_id = $1 AND id = $2 AND kind = $3
"""
LOCK = """
SELECT applied_at IS NOT NULL FROM shared.import_run WHERE county_id = $1 AND id = $2 FOR UPDATE
"""
APPLIED = """
UPDATE shared.import_run SET applied_at = $3, summary = $4, payload = NULL
WHERE county_id = $1 AND id = $2 AND applied_at IS NULL
"""
PERSONAL = ("joined", "moved", "left", "changed", "renamed", "missing", "lines", "faults")
"""What a run tells of people: it goes with the file."""
FORGET = """
UPDATE shared.import_run SET payload = NULL, summary = summary - $2::text[]
WHERE county_id = $1
"""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A previewed file, kept sealed until it is accepted or given up."""

    id: UUID
    kind: str
    file_name: str
    file_sha256: bytes
    created_at: datetime
    created_by: UUID | None
    applied_at: datetime | None = None
    summary: str
    payload: bytes | None = None


async def insert(county_id: int, run: Run) -> None:
    await DB.execute(INSERT, county_id, *msgspec.structs.astuple(run))


async def run(county_id: int, run_id: UUID, kind: str) -> Run | None:
    return await DB.one(Run, RUN, county_id, run_id, kind)


async def lock_applied(county_id: int, run_id: UUID) -> bool:
    """Whether somebody has accepted it; from now to the end of the transaction nobody else can."""
    found: bool = await DB.fetchval(LOCK, county_id, run_id)
    return found


async def mark_applied(county_id: int, run_id: UUID, now: datetime, summary: str) -> bool:
    """False when it has been applied already."""
    return await DB.count(APPLIED, county_id, run_id, now, summary) == 1


async def forget(county_id: int, run_id: UUID) -> None:
    sql = FORGET + " AND applied_at IS NULL AND id = $3"
    await DB.execute(sql, county_id, list(PERSONAL), run_id)


async def forget_before(county_id: int, moment: datetime) -> int:
    """Files that nobody accepted since, and what accepted ones told of people."""
    sql = FORGET + (
        " AND COALESCE(applied_at, created_at) < $3 AND (payload IS NOT NULL OR summary ?| $2)"
    )
    return await DB.count(sql, county_id, list(PERSONAL), moment)
