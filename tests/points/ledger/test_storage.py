"""Partitions and closed months: nothing is lost, and a past balance is the same but quicker."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from points.ledger import queries, service
from points.ledger.items import Item
from points.ledger.jobs import JOBS, StorageBehind
from points.ledger.storage import service as storage
from points.ledger.verifier import service as verifier
from shared import clock
from shared.database import DB
from shared.ids import new_id
from tests.conftest import as_owner
from tests.points.ledger.builders import (
    COUNTY,
    award,
    deduct,
    fund,
    line,
    redeem,
    restock,
)

START = datetime(2030, 1, 10, 2, tzinfo=UTC)
"""Later than any partition that the migration of this test run made."""
RUN = {job.name: job.run for job in JOBS}
FULL_SCAN = """
SELECT coalesce(sum(CASE WHEN credit = points.account_id('worker', $3, $2) THEN amount
                    WHEN debit = points.account_id('worker', $3, $2) THEN -amount END), 0)::int8
FROM points.transfer WHERE county_id = $1 AND id < points.transfer_id($4, 0, 0, 0)
"""

pytestmark = pytest.mark.usefixtures("rollback")


async def close(month: int, now: datetime) -> str:
    return await RUN["ledger.closing"](COUNTY, f"{month // 100}-{month % 100:02d}", now)


def midnight(after: date) -> datetime:
    return datetime.combine(after + timedelta(days=1), datetime.min.time(), clock.LOCAL_ZONE)


async def history(seed: int, workers: list[UUID]) -> tuple[date, set[int]]:
    """Half a year of random movements, months closed now and then; the last day, what is closed."""
    story = random.Random(seed)
    fund_id, shop, rice = await fund(), new_id(), new_id()
    at, closed = START, set[int]()
    await service.post(COUNTY, [restock(shop, rice, 10_000)], at)
    while at < START + timedelta(days=180):
        month = clock.today(at).replace(day=1) - timedelta(days=1)
        if story.random() < 0.2:
            await close(month.year * 100 + month.month, at)
            closed.add(month.year * 100 + month.month)
        items: list[Item] = []
        for worker in story.sample(workers, story.randint(1, len(workers))):
            choice = story.random()
            if choice < 0.5:
                items.append(award(worker, fund_id, story.randint(1, 9) * 10, expires_on=None))
            elif choice < 0.7:
                items.append(deduct(worker, story.randint(1, 5) * 10))
            else:
                items.append(redeem(worker, shop, line(rice, 1, 10), at=at))
        await service.post(COUNTY, items, at)
        at += timedelta(hours=story.randint(1, 24 * 9))
    return clock.today(at), closed


@pytest.mark.parametrize("seed", range(4))
async def test_a_past_balance_is_what_the_whole_history_gives(seed: int) -> None:
    """Q7: for every day, unit and person, whatever was closed and when."""
    await storage.prepare(START)
    workers = [new_id() for _ in range(3)]
    last, closed = await history(seed, workers)
    assert closed
    days = [clock.today(START) + timedelta(days=n) for n in range(-2, 200, 3)]
    for worker in (*workers, new_id()):
        for unit in ("merit", "wallet"):
            found = [await service.balance_at(COUNTY, worker, unit, day) for day in days]
            whole = [
                await DB.fetchval(FULL_SCAN, COUNTY, worker, unit, midnight(day)) for day in days
            ]
            assert found == whole, (seed, worker, unit)
    assert last <= days[-1]
    assert (await verifier.verify(COUNTY)).findings == ()


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


async def opened(end_of: date, worker: UUID) -> set[str]:
    """Partitions of the transfers that a look at a past balance really reads."""
    text = await DB.fetchval(
        "EXPLAIN (ANALYZE, FORMAT JSON) " + queries.BALANCE_AT,
        COUNTY, worker, "wallet", midnight(end_of),
    )  # fmt: skip
    plan = json.loads(text)[0]["Plan"]
    return {
        node["Relation Name"]
        for node in nodes(plan)
        if node.get("Relation Name", "").startswith("transfer") and node["Actual Loops"]
    }


async def test_a_past_balance_opens_only_the_partitions_it_needs() -> None:
    """Those between the last closed month and the day, however long the history."""
    await storage.prepare(START + timedelta(days=400))
    fund_id, worker = await fund(), new_id()
    for months in range(12):
        at = START + timedelta(days=30 * months)
        await service.post(COUNTY, [award(worker, fund_id, 10)], at)
    assert await opened(date(2030, 5, 20), worker) >= {"transfer_2030q1", "transfer_2030q2"}
    await close(203003, START + timedelta(days=90))
    assert await opened(date(2030, 5, 20), worker) == {"transfer_2030q2"}
    assert await opened(date(2030, 8, 20), worker) == {"transfer_2030q2", "transfer_2030q3"}
    await close(203007, START + timedelta(days=360))
    assert await opened(date(2030, 8, 20), worker) == {"transfer_2030q3"}
    assert await service.balance_at(COUNTY, worker, "wallet", date(2030, 8, 20)) == 80


async def test_a_month_is_closed_once_and_nothing_comes_into_it() -> None:
    """A later batch whose clock is behind is dated after the closing, and the books agree."""
    fund_id, worker = await fund(), new_id()
    await service.post(COUNTY, [award(worker, fund_id, 10)], START)
    assert await close(203001, START + timedelta(days=30)) == "月结 4 个账户"
    assert await close(203001, START + timedelta(days=31)) == "已有更晚的月结"
    assert await close(202912, START + timedelta(days=31)) == "已有更晚的月结"
    await service.post(COUNTY, [award(worker, fund_id, 10)], START + timedelta(days=1))
    ends = [date(2030, 1, 31), date(2030, 2, 1)]
    assert [await service.balance_at(COUNTY, worker, "merit", end) for end in ends] == [10, 20]
    assert (await verifier.verify(COUNTY)).findings == ()


async def test_a_month_that_is_not_over_is_not_closed() -> None:
    """The database refuses it, whatever the caller thinks."""
    with pytest.raises(Exception, match="not over"):
        async with DB.transaction():
            await storage.close_month(COUNTY, 203001, START)


async def test_a_spoiled_closing_is_named() -> None:
    """A balance that was edited, and one that is missing."""
    fund_id, worker = await fund(), new_id()
    await service.post(COUNTY, [award(worker, fund_id, 10)], START)
    await close(203001, START + timedelta(days=30))
    for sql in (
        "UPDATE points.closing_balance SET balance = balance + 1 WHERE county_id = $1",
        "DELETE FROM points.closing_balance WHERE county_id = $1",
    ):
        async with as_owner():
            await DB.execute("SET LOCAL session_replication_role = replica")
            await DB.execute(sql, COUNTY)
        found = (await verifier.verify(COUNTY)).findings
        assert (found[0].invariant, found[0].thing) == ("I2 月结余额", "closing_balance")
        assert "202601" not in found[0].detail
        assert "203001" in found[0].detail


async def test_strays_are_counted_and_brought_home() -> None:
    """A clock years ahead costs an alarm, no row: they move when their partition is made."""
    far = datetime(2034, 5, 1, tzinfo=UTC)
    await service.post(COUNTY, [award(new_id(), await fund(), 10)], far)
    assert (await storage.storage()).strays == 2
    with pytest.raises(StorageBehind, match="2 笔转账"):
        await RUN["ledger.partitions"](COUNTY, "", datetime(2031, 1, 1, tzinfo=UTC))
    assert await RUN["ledger.partitions"](COUNTY, "", far) == "台账分区备到 2035-01-01，归位 2 笔"
    assert await storage.storage() == storage.Storage(
        datetime(2034, 12, 31, 16, tzinfo=UTC), strays=0
    )
    assert await RUN["ledger.partitions"](COUNTY, "", far) == "台账分区备到 2035-01-01"
    assert (await verifier.verify(COUNTY)).findings == ()


async def partitions() -> list[str]:
    rows = await DB.fetch(
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits"
        " WHERE inhparent = 'points.transfer'::regclass ORDER BY 1"
    )
    return [row["name"] for row in rows]


async def test_every_partition_has_the_alarms_and_no_rights() -> None:
    """The service reads and writes none directly; its owner cannot change or empty one either."""
    await storage.prepare(START)
    found = await partitions()
    assert {"points.transfer_past", "points.transfer_default", "points.transfer_2030q3"} <= {*found}
    await service.post(COUNTY, [award(new_id(), await fund(), 10)], START)
    for name in found:
        with pytest.raises(Exception, match="permission denied"):
            async with DB.transaction():
                await DB.execute(f"INSERT INTO {name} (county_id) VALUES ({COUNTY})")
        with pytest.raises(Exception, match="append-only"):
            async with as_owner():
                await DB.execute(f"TRUNCATE {name}")
    with pytest.raises(Exception, match="append-only"):
        async with as_owner():
            await DB.execute(f"DELETE FROM points.transfer_2030q1 WHERE county_id = {COUNTY}")


async def test_batches_are_found_by_their_time() -> None:
    """By halves, as looking at all of them would find them."""
    shop, rice = new_id(), new_id()
    times = [START + timedelta(hours=hour) for hour in (0, 0, 1, 5, 5, 5, 9)]
    for at in times:
        await service.post(COUNTY, [restock(shop, rice, 1)], at)
    for at in {*times, START - timedelta(days=1), START + timedelta(hours=3)}:
        for instant in (at, at + timedelta(microseconds=1)):
            assert await DB.fetchval("SELECT points.batch_before($1, $2)", COUNTY, instant) == sum(
                one < instant for one in times
            )
