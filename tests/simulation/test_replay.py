"""The checker itself: a lie planted in the record or in the ledger is found and named."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import msgspec
import pytest

from shared.ids import new_id
from tests.factories import COUNTY
from tests.simulation.replay import Replay
from tests.simulation.rig import Rig, open_folder
from tests.simulation.story import CROWD, PATIENCE, Told, library, play
from tests.simulation.traffic import Call, Traffic

CALLS = 400


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """Engines and an app."""
    with Rig(open_folder(tmp_path)) as made:
        yield made


def accepted(traffic: Traffic, kind: str) -> Call:
    """The first accepted call of a kind."""
    return next(c for c in traffic.calls.values() if c.kind == kind and c.status == 201)


def never_happened(traffic: Traffic) -> None:
    """An acknowledgement without a row."""
    lie = msgspec.structs.replace(accepted(traffic, "redeem"), id=new_id())
    traffic.calls[lie.id] = lie


def another_amount(traffic: Traffic) -> None:
    call = accepted(traffic, "redeem")
    call.answer = call.answer.replace(b'"amount":', b'"amount":1')


def other_goods(traffic: Traffic) -> None:
    """The ledger charges something else than was asked for."""
    call = accepted(traffic, "redeem")
    call.lines = ((call.lines[0][0], call.lines[0][1] + 1), *call.lines[1:])


def out_of_order(traffic: Traffic) -> None:
    """An early call that was only sent after everything had been answered."""
    call = accepted(traffic, "redeem")
    call.first_sent = max(c.acked for c in traffic.calls.values()) + 1
    call.acked = call.first_sent + 1


def unsent(traffic: Traffic) -> None:
    """A row that nobody asked for."""
    del traffic.calls[accepted(traffic, "redeem").id]


async def test_lies_are_found(rig: Rig) -> None:
    """Five lies about an honest run, and a stolen piece, are found; the run itself passes."""
    told, kept = Told(seed=7), []

    async def quiet(traffic: Traffic) -> None:
        kept.append(traffic)
        await traffic.until(CALLS, PATIENCE)

    async with library(rig.owner_url):
        await play(rig, random.Random(told.seed), told, quiet)
    assert told.operations >= CALLS - CROWD
    (traffic,) = kept
    connection = await asyncpg.connect(rig.owner_url)
    lies: list[Callable[[Traffic], None]] = [
        never_happened, another_amount, other_goods, out_of_order, unsent,
    ]  # fmt: skip
    honest = {id_: msgspec.structs.replace(call) for id_, call in traffic.calls.items()}
    for lie in lies:
        traffic.calls = {id_: msgspec.structs.replace(call) for id_, call in honest.items()}
        lie(traffic)
        assert await Replay(traffic.scene, traffic.calls).run(connection), lie.__name__
    await connection.execute(
        "UPDATE points.stock SET quantity = quantity + 1 WHERE county_id = $1", COUNTY
    )
    assert await Replay(traffic.scene, honest).run(connection)
    await connection.close()
