"""Clocks that jump: ids stay in order, and so do the blocks of the ledger."""

import random
import time
from datetime import timedelta

import pytest

from points.ledger import service
from shared import ids
from shared.database import DB
from tests.points.ledger.builders import COUNTY, NOW, award, fund, line, redeem, restock, sound

JUMPS = 2_000


def test_ids_are_in_order_whatever_the_clock_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back by a day, on by an hour, standing still: the next id is always the greater one."""
    dice, at = random.Random(1), time.time_ns()
    last = ids.new_id()
    for _ in range(JUMPS):
        at += dice.choice((0, 1, 10**6, 3_600 * 10**9, -(10**6), -86_400 * 10**9))
        monkeypatch.setattr(time, "time_ns", lambda: at)  # noqa: B023  read at once
        fresh = ids.new_id()
        assert last < fresh
        last = fresh


async def test_blocks_are_in_order_whatever_the_clock_does(rollback: None) -> None:
    """A batch is never older than the one before it, ids follow the order, and the books close."""
    dice, at = random.Random(2), NOW
    worker, shop, rice = ids.new_id(), ids.new_id(), ids.new_id()
    fund_id = await fund()
    await service.post(COUNTY, [award(worker, fund_id, 9_000), restock(shop, rice, 500)], at)
    for _ in range(40):
        at += timedelta(seconds=dice.choice((0, 1, 3_600, -1, -86_400)))
        await service.post_one(COUNTY, redeem(worker, shop, line(rice, 1, 10), at=at), at)
    rows = await DB.fetch(
        "SELECT t.id, b.number, b.at FROM points.transfer t JOIN points.batch b"
        " ON b.county_id = t.county_id AND b.number = t.batch WHERE t.county_id = $1 ORDER BY t.id",
        COUNTY,
    )
    assert [row["number"] for row in rows] == sorted(row["number"] for row in rows)
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
    await sound()
