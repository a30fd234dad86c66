"""SQL of job runs and of the scheduler's locks."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec
from asyncpg import Connection

from shared.database import DB
from shared.scheduling.words import NAMES

COUNTIES = "SELECT id FROM shared.county ORDER BY id"
DONE = """
SELECT period FROM shared.job_run
WHERE county_id = $1 AND job = $2 AND period = ANY($3) AND status = 'done'
"""
START = """
INSERT INTO shared.job_run (county_id, id, job, period, status, started_at, detail)
VALUES ($1, $2, $3, $4, 'running', $5, '')
ON CONFLICT (county_id, job, period) DO UPDATE
SET status = 'running', started_at = EXCLUDED.started_at, finished_at = NULL
WHERE job_run.status <> 'done'
RETURNING id
"""
FINISH = """
UPDATE shared.job_run SET status = $3, finished_at = $4, detail = $5
WHERE county_id = $1 AND id = $2
"""
LATEST = """
SELECT DISTINCT ON (job) job, period, status, started_at, finished_at, detail
FROM shared.job_run WHERE county_id = $1
ORDER BY job, started_at DESC
"""
# A sweep of every five minutes that fails all night must not push the other alarms off the desk.
FAILED = """
SELECT DISTINCT ON (job) job, period, status, started_at, finished_at, detail
FROM shared.job_run f WHERE county_id = $1 AND status = 'failed'
  AND (length(period) = 7 OR NOT EXISTS (
      SELECT FROM shared.job_run d WHERE d.county_id = $1 AND d.job = f.job
      AND d.status = 'done' AND d.period > f.period))
ORDER BY job, started_at DESC
"""
LAST = "SELECT max(finished_at) FROM shared.job_run WHERE county_id = $1 AND status = 'done'"
PURGE = """
DELETE FROM shared.job_run
WHERE county_id = $1 AND status = 'done' AND started_at < $2 AND length(period) > 10
"""
TRY_LOCK = "SELECT pg_try_advisory_lock($1)"
TRY_PERIOD = "SELECT pg_try_advisory_lock($1, hashtext($2))"
ALIVE = "SELECT 1"
LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError)
"""What a lost lock connection raises."""


class RunRow(msgspec.Struct, frozen=True):
    """One period of one job as the health page shows it."""

    job: str
    period: str
    status: str
    started_at: datetime
    finished_at: datetime | None
    detail: str

    @property
    def title(self) -> str:
        """The job in Chinese."""
        return NAMES.get(self.job, self.job)


async def counties() -> list[int]:
    return [row["id"] for row in await DB.fetch(COUNTIES)]


async def done(county_id: int, job: str, periods: Sequence[str]) -> set[str]:
    rows = await DB.fetch(DONE, county_id, job, list(periods))
    return {row["period"] for row in rows}


async def start(county_id: int, run_id: UUID, job: str, period: str, at: datetime) -> UUID | None:
    """The run's id, or None when it is done already."""
    found: UUID | None = await DB.fetchval(START, county_id, run_id, job, period, at)
    return found


async def finish(county_id: int, run_id: UUID, status: str, at: datetime, detail: str) -> None:
    await DB.execute(FINISH, county_id, run_id, status, at, detail)


async def latest(county_id: int) -> list[RunRow]:
    return await DB.all(RunRow, LATEST, county_id)


async def failed(county_id: int) -> list[RunRow]:
    return await DB.all(RunRow, FAILED, county_id)


async def last(county_id: int) -> datetime | None:
    """When a job was last done; sweeps are many times an hour."""
    found: datetime | None = await DB.fetchval(LAST, county_id)
    return found


async def purge(county_id: int, before: datetime) -> int:
    """Forget frequent sweeps, whose period names an hour; how many."""
    return await DB.count(PURGE, county_id, before)


async def try_lock(connection: Connection, key: int) -> bool:
    return bool(await connection.fetchval(TRY_LOCK, key))


async def try_period(connection: Connection, county_id: int, name: str) -> bool:
    return bool(await connection.fetchval(TRY_PERIOD, county_id, name))


async def alive(connection: Connection, timeout: float) -> None:  # noqa: ASYNC109  asyncpg's own
    await connection.fetchval(ALIVE, timeout=timeout)
