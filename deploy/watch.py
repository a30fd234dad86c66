"""Look before the first request, and every minute after: whether this process may write.

A fault shuts the gate and stops the jobs; when it is repaired, both go on without a restart. A
healthy process asks only what costs nothing; the chain's head was proven at the start.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import structlog
from asyncpg import PostgresError

from deploy import checks
from shared.database import AWAY
from shared.scheduling.job import Job
from shared.scheduling.leader import lead
from shared.settings import Settings
from shared.web.gate import Gate

EVERY = 60.0
"""Seconds."""
LOG = structlog.get_logger("gridmerit.watch")


@asynccontextmanager
async def watched(
    settings: Settings, gate: Gate, *, jobs: Sequence[Job] = ()
) -> AsyncIterator[None]:
    """Keep the gate, and the jobs if there are any, in step with the checks during the block."""
    await look(settings, gate, checks.FORBIDDING)
    watch = asyncio.create_task(_watch(settings, gate, jobs))
    try:
        yield
    finally:
        await _end(watch)


async def look(settings: Settings, gate: Gate, wanted: Sequence[checks.Check]) -> None:
    """Ask the checks, and shut or open the gate."""
    wrong = await checks.faults(settings, wanted)
    reasons = tuple(f"{one.name}：{one.sentence}" for one in wrong)
    if reasons != gate.reasons:
        LOG.error("read_only", reasons=reasons) if reasons else LOG.info("writing")
    gate.blind = any(one.blind for one in wrong)
    gate.reasons = reasons


async def _watch(settings: Settings, gate: Gate, jobs: Sequence[Job]) -> None:
    leading: asyncio.Task[None] | None = None
    try:
        while True:
            if jobs and leading is None and not gate.reasons:
                leading = asyncio.create_task(lead(jobs))
            elif leading is not None and gate.reasons:
                await _end(leading)
                leading = None
            await asyncio.sleep(EVERY)
            try:
                await look(settings, gate, checks.FORBIDDING if gate.reasons else checks.CHEAP)
            except AWAY:
                pass  # every request says so by itself
            except PostgresError as error:
                # Cut off by a lock or a limit: the next look tells. Without a watch no jobs run.
                LOG.warning("look_failed", error=repr(error))
    finally:
        if leading is not None:
            await _end(leading)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
