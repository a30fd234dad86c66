"""One scheduler at a time: whoever holds the database lock runs the jobs, the others wait.

The lock stands on a connection of its own. When that connection dies, or its process does, the
lock is gone and a waiting process takes over within seconds.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import structlog
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from asyncpg import Connection

from shared.clock import LOCAL_ZONE, now
from shared.database import DB
from shared.scheduling import queries, runner
from shared.scheduling.job import Job

LOCK = 0x6772_6A6F  # "grjo": the session advisory lock of the one scheduler
LOOK_AGAIN = 5.0
"""Seconds between looks at the lock, held or wanted."""
ANSWER = 5.0
"""Seconds within which the lock's connection must answer."""

log = structlog.get_logger(__name__)


async def lead(
    jobs: Sequence[Job],
    clock: Callable[[], datetime] = now,
    *,
    look_again: float = LOOK_AGAIN,
    elected: asyncio.Event | None = None,
) -> None:
    """Wait for the lock, run the jobs while it is held; runs until cancelled.

    ``elected`` is set when this process becomes the leader (for tests and the console).
    """
    runner.check(jobs)
    while True:
        with suppress(OSError, *queries.LOST):
            await _once(jobs, clock, look_again, elected)
        await asyncio.sleep(look_again)


async def _once(
    jobs: Sequence[Job],
    clock: Callable[[], datetime],
    look_again: float,
    elected: asyncio.Event | None,
) -> None:
    connection: Connection = await DB.get_new_connection()
    try:
        if not await queries.try_lock(connection, LOCK):
            return
        log.info("scheduler leads", jobs=len(jobs))
        looks = set[asyncio.Task[Any]]()
        scheduler = build(jobs, clock, looks)
        scheduler.start()
        if elected:
            elected.set()
        try:
            while True:
                await asyncio.sleep(look_again)
                await queries.alive(connection, ANSWER)
        finally:
            scheduler.shutdown(wait=False)
            await _ended(looks)
            log.warning("scheduler stops leading")
    finally:
        connection.terminate()


async def _ended(looks: set[asyncio.Task[Any]]) -> None:
    """Return when the looks that a stop cancels are over: till then lock and pool are theirs.

    The scheduler stops, and cancels them, on the loop's next turn.
    """
    await asyncio.sleep(0)
    if looks:
        await asyncio.wait(looks, timeout=ANSWER)


def build(
    jobs: Sequence[Job], clock: Callable[[], datetime], looks: set[asyncio.Task[Any]]
) -> AsyncIOScheduler:
    """A scheduler with every job, its catch-up at once and its look at every trigger.

    ``looks`` holds the tasks that are looking now. Memory store on purpose: what is due is known
    from the database, not from the scheduler.
    """
    scheduler = AsyncIOScheduler(
        timezone=LOCAL_ZONE,
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )
    scheduler.add_listener(_report, EVENT_JOB_ERROR | EVENT_JOB_MISSED)
    for position, job in enumerate(jobs):
        scheduler.add_job(
            _look,
            CronTrigger.from_crontab(job.trigger, timezone=LOCAL_ZONE),
            args=(job, clock, looks),
            id=job.name,
            # At once, one after the other: whatever was missed while nobody led.
            next_run_time=now() + timedelta(milliseconds=200 * position),
        )
    return scheduler


async def _look(job: Job, clock: Callable[[], datetime], looks: set[asyncio.Task[Any]]) -> None:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101  the scheduler makes one for every look
    looks.add(task)
    task.add_done_callback(looks.discard)
    # What a stop has cut short did not fail: the next leader takes its period up.
    with suppress(asyncio.CancelledError):
        await runner.run_due(job, clock())


def _report(event: JobExecutionEvent) -> None:
    log.error(
        "scheduled look failed",
        job=event.job_id,
        error=repr(event.exception),
        exc_info=event.exception,
    )
