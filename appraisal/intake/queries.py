"""SQL of intake runs: a previewed file waits sealed until it is accepted."""

from datetime import datetime
from uuid import UUID

import msgspec

from shared.database import DB

INSERT = """
INSERT INTO shared.import_run (county_id, id, kind, file_name, file_sha256, created_at, created_by,
    summary, payload)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
RUN = """
SELECT id, kind, file_name, created_at, created_by, applied_at, summary, payload
FROM shared.import_run WHERE county_id = $1 AND id = $2 AND kind = $3
"""
LOCK = """
SELECT applied_at IS NOT NULL FROM shared.import_run WHERE county_id = $1 AND id = $2 FOR UPDATE
"""
APPLIED = """
UPDATE shared.import_run SET applied_at = $3, summary = $4, payload = NULL
WHERE county_id = $1 AND id = $2 AND applied_at IS NULL
"""


class Run(msgspec.Struct, frozen=True):
    """A previewed file."""

    id: UUID
    kind: str
    file_name: str
    created_at: datetime
    created_by: UUID | None
    applied_at: datetime | None
    summary: str
    payload: bytes | None


async def insert(
    county_id: int,
    run_id: UUID,
    kind: str,
    file: tuple[str, bytes],
    made: tuple[datetime, UUID],
    summary: str,
    payload: bytes,
) -> None:
    """``file``: name and SHA-256; ``made``: when and by whom."""
    await DB.execute(INSERT, county_id, run_id, kind, *file, *made, summary, payload)


async def run(county_id: int, run_id: UUID, kind: str) -> Run | None:
    return await DB.one(Run, RUN, county_id, run_id, kind)


async def lock_applied(county_id: int, run_id: UUID) -> bool:
    """Whether somebody has accepted it; from now to the end of the transaction nobody else can."""
    found: bool = await DB.fetchval(LOCK, county_id, run_id)
    return found


async def mark_applied(county_id: int, run_id: UUID, at: datetime, summary: str) -> bool:
    """False when it has been applied already."""
    return await DB.count(APPLIED, county_id, run_id, at, summary) == 1


async def forget(county_id: int, run_id: UUID) -> None:
    await DB.execute(
        "UPDATE shared.import_run SET payload = NULL WHERE county_id = $1 AND id = $2",
        county_id,
        run_id,
    )
