"""Kill -9 of whatever runs, between request and answer: nothing lost, nothing twice (I1–I14, I19).

``make soak`` plays it as often as it is told, each time with other dice, more kills and more calls:
twenty rounds are 1,000 kills and a million operations.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from time import monotonic_ns

import asyncpg
import pytest

from tests.simulation.rig import Rig, open_folder
from tests.simulation.story import PATIENCE, Told, library, play, seed_of
from tests.simulation.traffic import Traffic

KILLS, CALLS = 20, 400
"""In the suite: kills, and most calls that are answered between two of them."""
SOAKED_KILLS, SOAKED_CALLS = 50, 2_000
"""In a round of a soak."""
TARGETS = ("backend",) * 5 + ("valkey",) * 2 + ("app", "app", "postmaster", "scheduler")
"""What is killed, as often as it stands here."""
JOBS_TWICE = """
SELECT job, period FROM shared.job_run WHERE finished_at IS NOT NULL
GROUP BY job, period HAVING count(*) > 1
"""


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """Engines, an app and two schedulers."""
    with Rig(open_folder(tmp_path), schedulers=2) as made:
        yield made


@pytest.mark.soak
async def test_kills(rig: Rig, request: pytest.FixtureRequest) -> None:
    """Whatever dies and whenever: 0 lost, 0 double, and the ledger tells one story."""
    told = Told(seed=seed_of(request))
    dice = random.Random(told.seed)
    soaked = request.config.getoption("soak")
    kills_wanted, most = (SOAKED_KILLS, SOAKED_CALLS) if soaked else (KILLS, CALLS)

    async def kills(traffic: Traffic) -> None:
        while told.faults.total() < kills_wanted:
            target = dice.choice(TARGETS)
            busy = len(traffic.done) + dice.randrange(20, most)
            await traffic.until(busy, PATIENCE)
            at = monotonic_ns()
            if rig.kill(target, dice):
                told.faults[target] += 1
                told.recoveries.append(await traffic.answered_since(at, PATIENCE))

    async with library(rig.owner_url):
        await play(rig, dice, told, kills)
        connection = await asyncpg.connect(rig.owner_url)
        assert not await connection.fetch(JOBS_TWICE)
        await connection.close()
    print(told)
