"""A story: a rig under load, a run of faults, quiet, then every question about the ledger."""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import msgspec
import pytest

from deploy.migrate import migrate
from points.ledger.verifier import service as verifier
from shared.database import DB
from shared.identity import sealing
from shared.roster import phones
from tests.factories import COUNTY
from tests.simulation.replay import Replay
from tests.simulation.rig import SECRET, Rig
from tests.simulation.scene import Scene
from tests.simulation.traffic import Traffic

CROWD = 12
"""Connections to the app."""
CLERK_PAUSE = 0.4
PATIENCE = 120
"""Seconds within which the counter must answer again, on the busiest machine."""


def seed_of(request: pytest.FixtureRequest) -> int:
    """Fixed in the suite, another one each round of a soak."""
    return int.from_bytes(os.urandom(4)) if request.config.getoption("soak") else 20261126


class Told(msgspec.Struct, kw_only=True):
    """What happened, for the record."""

    seed: int
    operations: int = 0
    faults: Counter[str] = msgspec.field(default_factory=Counter)
    broken: int = 0
    statuses: dict[int, int] = {}
    recoveries: list[float] = []
    """Seconds from each fault to the next answer."""
    transfers: int = 0

    def __str__(self) -> str:
        slow = sorted(self.recoveries)
        half = f"{slow[len(slow) // 2]:.2f} s, at most {slow[-1]:.2f} s" if slow else "none"
        return (
            f"seed {self.seed}: {self.operations} operations, {self.transfers} transfers,"
            f" {dict(self.faults)} faults, {self.broken} broken connections,"
            f" answers {dict(sorted(self.statuses.items()))}, recovery median {half}"
        )


@asynccontextmanager
async def library(url: str) -> AsyncIterator[None]:
    """The product's own code in this process, on the rig's database."""
    pool, config = DB.pool, dict(DB.config)
    token = DB.current_transaction.set(None)
    DB.pool = None
    DB.configure(url)
    phones.configure(SECRET)
    sealing.configure(SECRET)
    await migrate()
    await DB.start_connection_pool(min_size=1, max_size=4)
    try:
        yield
    finally:
        await DB.close_connection_pool()
        DB.pool = pool
        DB.config.clear()
        DB.config.update(config)
        DB.current_transaction.reset(token)


async def play(
    rig: Rig, dice: random.Random, told: Told, faults: Callable[[Traffic], Awaitable[None]]
) -> None:
    """Build the scene, open the counters, let the faults happen, and check everything.

    Raises AssertionError naming what does not fit.
    """
    scene = Scene(dice)
    await scene.build()
    await asyncio.to_thread(rig.serve)
    traffic = Traffic(scene, rig.port, dice)
    crowd = asyncio.create_task(traffic.crowd(CROWD))
    clerk = asyncio.create_task(scene.clerk(CLERK_PAUSE))
    try:
        await faults(traffic)
    finally:
        traffic.stopping = scene.stopping = True
        await asyncio.wait({crowd, clerk})
    await crowd
    await clerk
    told.operations = len(traffic.calls)
    told.broken, told.statuses = traffic.broken, dict(traffic.statuses)
    await check(rig, scene, traffic, told)


async def check(rig: Rig, scene: Scene, traffic: Traffic, told: Told) -> None:
    """The verifier finds the books sound, and the model tells the same story."""
    verdict = await verifier.verify(COUNTY)
    told.transfers = verdict.transfers
    assert not verdict.findings, (told, verdict.findings)
    assert not traffic.lies, (told, traffic.lies[:5])
    connection = await asyncpg.connect(rig.owner_url)
    try:
        contradictions = await Replay(scene, traffic.calls).run(connection)
    finally:
        await connection.close()
    assert not contradictions, (told, contradictions)
