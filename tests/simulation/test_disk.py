"""A full disk: what cannot be written is not acknowledged, and all goes on when there is room."""

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from time import monotonic_ns

import pytest

from tests.simulation.rig import Rig, open_folder
from tests.simulation.story import PATIENCE, Told, library, play, seed_of
from tests.simulation.traffic import Traffic

DISK_MIB = 1_600
"""More than the GiB below which the app, too, stops writing."""
FILLS = 3
LEFT = 256 * 1024
"""Bytes left free: the next pages find no room at different places."""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small disk")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """Engines on a small disk, and an app."""
    with Rig(open_folder(tmp_path), disk_mib=DISK_MIB) as made:
        yield made


@pytest.mark.soak
async def test_disk_full(rig: Rig, request: pytest.FixtureRequest) -> None:
    """Three times no room at all under load: 0 lost, 0 double, and the counters open again."""
    told = Told(seed=seed_of(request))
    dice = random.Random(told.seed)
    assert rig.disk is not None
    ballast = rig.disk / "ballast"

    async def fills(traffic: Traffic) -> None:
        while told.faults["full disk"] < FILLS:
            await traffic.until(len(traffic.done) + dice.randrange(50, 300), PATIENCE)
            fill(ballast, rig.disk)
            await traffic.refused(50, PATIENCE)
            ballast.unlink()
            told.faults["full disk"] += 1
            told.recoveries.append(await traffic.answered_since(monotonic_ns(), PATIENCE))

    async with library(rig.owner_url):
        await play(rig, dice, told, fills)
    assert told.statuses.get(500, 0) == 0, "a full disk is a 503 with a sentence"
    print(told)


def fill(ballast: Path, disk: Path | None) -> None:
    """Take all room but a little."""
    assert disk is not None
    free = shutil.disk_usage(disk).free - LEFT
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(free, 1))
