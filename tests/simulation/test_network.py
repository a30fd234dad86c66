"""A network that cuts, delays and swallows between app and database: nothing lost, nothing twice.

The lost answer is the worst of it: the batch is committed, and the app must find that out from
the ids instead of sending it again.
"""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path
from time import monotonic_ns

import pytest

from deploy.migrate import OWNER
from tests.simulation.proxy import Fault, Proxy
from tests.simulation.rig import Rig, open_folder
from tests.simulation.story import PATIENCE, Told, library, play, seed_of
from tests.simulation.traffic import Traffic

FAULTS = 20
LONGEST = 1.5
"""Seconds that a fault lasts at most."""


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """Engines and an app."""
    with Rig(open_folder(tmp_path)) as made:
        yield made


@pytest.mark.soak
async def test_bad_network(rig: Rig, request: pytest.FixtureRequest) -> None:
    """Twenty faults under load: the ledger tells one story, and every call has its answer."""
    told = Told(seed=seed_of(request))
    dice = random.Random(told.seed)
    async with Proxy(rig.engines.home.sockets / ".s.PGSQL.5432") as proxy:
        rig.database_url = f"postgresql://{OWNER}@127.0.0.1:{proxy.port}/gridmerit?sslmode=disable"

        async def faults(traffic: Traffic) -> None:
            while told.faults.total() < FAULTS:
                await traffic.until(len(traffic.done) + dice.randrange(20, 200), PATIENCE)
                at = monotonic_ns()
                fault = dice.choice(list(Fault))
                await proxy.suffer(fault, dice.uniform(0.05, LONGEST))
                told.faults[fault] += 1
                told.recoveries.append(await traffic.answered_since(at, PATIENCE))

        async with library(rig.owner_url):
            await play(rig, dice, told, faults)
        await asyncio.to_thread(rig.stop_app)
    print(told)
