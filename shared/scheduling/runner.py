"""Do the periods that are due and not done, one at a time, and remember each.

A period is guarded by a session lock on a connection of its own: if the process dies, the lock
goes with it and the next look takes the period up again, with no timeout to guess.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from shared.database import AWAY, BUSY, DB
from shared.errors import GridmeritError
from shared.ids import new_id
from shared.scheduling import queries
from shared.scheduling.job import Job
from shared.scheduling.queries import RunRow
from shared.scheduling.words import AWAY_SENTENCE, BUSY_SENTENCE, DEFECT

MAX_DETAIL = 500
SWEEPS_KEPT = timedelta(days=7)
LONGEST_IDLE = timedelta(days=1)
"""Without any job done: nobody runs them, since some are due every few minutes."""

log = structlog.get_logger(__name__)


async def run_due(job: Job, now: datetime) -> int:
    """Run what is due of a job in every county; returns how many periods were completed.

    A failing period is recorded and does not stop the other counties; the periods after it wait,
    because a later one may build on it.
    """
    completed = 0
    for county_id in await queries.counties():
        periods = list(job.periods(now, county_id))
        done = await queries.done(county_id, job.name, periods)
        for period in periods:
            if period in done:
                continue
            if not await run_period(job, county_id, period, now):
                break
            completed += 1
    return completed


async def run_period(job: Job, county_id: int, period: str, now: datetime) -> bool:
    """Complete one period; False if it failed or is being done elsewhere."""
    guard = await DB.get_new_connection()
    try:
        if not await queries.try_period(guard, county_id, f"{job.name} {period}"):
            return False
        run_id = await queries.start(county_id, new_id(), job.name, period, now)
        if run_id is None:
            return True
        status, detail = await _attempt(job, county_id, period, now)
        await queries.finish(county_id, run_id, status, now, detail[:MAX_DETAIL])
        return status == "done"
    finally:
        await guard.close()


async def failures(county_id: int) -> list[RunRow]:
    """Periods that failed and are still not done, a job's newest: the alarm of the desk.

    A later day or slot done makes up for them, or was waited for until then; a month stays due.
    """
    return await queries.failed(county_id)


async def idle_since(county_id: int, now: datetime) -> datetime | None:
    """When the last job was done, if that is too long ago: nothing fails where nothing runs."""
    last = await queries.last(county_id)
    return last if last and now - last > LONGEST_IDLE else None


async def latest(county_id: int) -> list[RunRow]:
    """The latest run of every job."""
    return await queries.latest(county_id)


async def forget_sweeps(county_id: int, now: datetime) -> int:
    """Drop the rows of sweeps that run many times a day; how many."""
    return await queries.purge(county_id, now - SWEEPS_KEPT)


async def _attempt(job: Job, county_id: int, period: str, now: datetime) -> tuple[str, str]:
    try:
        return "done", await job.run(county_id, period, now)
    except Exception as error:  # the scheduler survives every job
        log.exception("job failed", job=job.name, county=county_id, period=period)
        if isinstance(error, GridmeritError):
            return "failed", error.message
        if isinstance(error, AWAY):
            return "failed", AWAY_SENTENCE
        if isinstance(error, BUSY):
            return "failed", BUSY_SENTENCE
        return "failed", DEFECT.format(type(error).__name__)


def check(jobs: Sequence[Job]) -> None:
    """Refuse two jobs of one name: they would share their periods."""
    names = [job.name for job in jobs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"jobs with one name: {', '.join(twice)}")
