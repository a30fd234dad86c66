"""Days close once, whatever comes late, and every transfer is in exactly one of them."""

from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

import msgspec
import pytest

from points.ledger import service as ledger
from points.ledger.jobs import JOBS
from points.ledger.seal import merkle, queries, rules, service
from points.ledger.seal.schemas import DayRow, Line
from shared.database import DB
from shared.ids import new_id
from tests.conftest import as_owner
from tests.points.ledger.builders import COUNTY, NOW, award, fund, line, one, redeem, restock

DAY = timedelta(days=1)


async def roots() -> list[DayRow]:
    return await service.month(COUNTY, NOW.date().replace(day=1))


async def transfer_ids() -> list[object]:
    rows = await DB.fetch("SELECT id FROM points.transfer WHERE county_id = $1 ORDER BY id", COUNTY)
    return [row["id"] for row in rows]


async def marks(transfer_id: object, printed: str = "") -> list[Line]:
    receipt = await service.receipt_file(COUNTY, transfer_id)  # type: ignore[arg-type]  # a UUID
    return rules.check(msgspec.json.encode(receipt), printed)


async def test_a_day_closes_after_its_midnight_in_china(rollback: None) -> None:
    """15:59 UTC belongs to the day that 16:00 has left; without a ledger nothing closes."""
    assert await service.close_days(COUNTY, NOW) == 0
    fund_id, worker = await fund(), new_id()
    evening = datetime(2026, 11, 2, 15, 59, 59, tzinfo=UTC)
    await one(award(worker, fund_id), evening)
    await one(award(worker, fund_id), evening + timedelta(seconds=1))
    assert await service.close_days(COUNTY, evening) == 0
    midnight = evening + timedelta(seconds=1)
    assert await service.close_days(COUNTY, midnight) == 1
    assert await service.close_days(COUNTY, midnight + DAY) == 1
    assert await service.close_days(COUNTY, midnight + DAY) == 0
    first, second = await roots()
    assert [(date(2026, 11, 2), 1, 3), (date(2026, 11, 3), 4, 4)] == [
        (row.day, row.first_batch, row.last_batch) for row in (first, second)
    ]
    assert first.root == second.previous


async def test_the_root_is_over_the_canonical_rows(rollback: None) -> None:
    """Computed by hand: the day's own leaf, then every transfer's canonical text."""
    fund_id = await fund()
    await one(award(new_id(), fund_id))
    await service.close_days(COUNTY, NOW + DAY)
    rows = await DB.fetch(
        "SELECT points.canon(t) AS text FROM points.transfer t WHERE county_id = $1 ORDER BY id",
        COUNTY,
    )
    head = await DB.fetchval(
        "SELECT hash FROM points.batch WHERE county_id = $1 ORDER BY number DESC LIMIT 1", COUNTY
    )
    own = f'["day", {COUNTY}, "2026-11-02", 1, 3, {len(rows)}, "", "{head.hex()}"]'
    leaves = [sha256(b"\0" + text.encode()).digest() for text in (own, *(r["text"] for r in rows))]
    [day] = await roots()
    assert merkle.root(leaves) == day.root
    assert len(rows) == day.transfers


async def test_late_batches_go_to_the_next_day(rollback: None) -> None:
    """A batch timed before midnight that comes after the closing changes no closed day."""
    fund_id, worker = await fund(), new_id()
    await one(award(worker, fund_id))
    await service.close_days(COUNTY, NOW + DAY)
    before = await roots()
    await one(award(worker, fund_id), NOW + timedelta(hours=1))
    await one(award(worker, fund_id), NOW + DAY)
    assert await service.close_days(COUNTY, NOW + 2 * DAY) == 1
    first, second = await roots()
    assert before == [first]
    assert (second.first_batch, second.last_batch) == (4, 5)
    for transfer_id in await transfer_ids():
        receipt = await service.receipt_file(COUNTY, transfer_id)  # type: ignore[arg-type]
        assert receipt.day is not None


async def test_quiet_days_keep_the_chain_of_days(rollback: None) -> None:
    """A day without a batch has a root too, which holds the one before."""
    await one(award(new_id(), await fund()))
    assert await service.close_days(COUNTY, NOW + 4 * DAY) == 4
    days = await roots()
    assert [row.last_batch - row.first_batch + 1 for row in days] == [3, 0, 0, 0]
    assert [row.root for row in days[:-1]] == [row.previous for row in days[1:]]
    assert len({row.root for row in days}) == 4


async def test_a_receipt_proves_its_transfer(rollback: None) -> None:
    """At once the batch's seal, after the closing the day's root, and the printed root."""
    fund_id, worker, shop, rice = await fund(), new_id(), new_id(), new_id()
    await ledger.post(COUNTY, [award(worker, fund_id, 500), restock(shop, rice)], NOW)
    assert (await one(redeem(worker, shop, line(rice, 2)))).accepted
    for transfer_id in await transfer_ids():
        assert "".join(line.mark for line in await marks(transfer_id)) == "·✓？？"
    await service.close_days(COUNTY, NOW + DAY)
    [day] = await roots()
    printed = day.root.hex()
    for place, transfer_id in enumerate(await transfer_ids(), 1):
        lines = await marks(transfer_id, f"{printed[:8]} {printed[8:16].upper()} {printed[16:]}")
        assert "".join(line.mark for line in lines) == "·✓✓✓？"
        assert f"第 {place} 笔" in lines[2].text
        assert "✗" in "".join(line.mark for line in await marks(transfer_id, "0" * 64))


@pytest.mark.parametrize("people", [1, 127, 128, 129, 300])
async def test_proofs_across_kept_blocks(rollback: None, people: int) -> None:
    """Two transfers a person: on every side of a block's edge the proof is right.

    Batches too long for a receipt are proven by the day alone.
    """
    fund_id = await fund(10_000_000)
    await ledger.post(COUNTY, [award(new_id(), fund_id) for _ in range(people)], NOW)
    await service.close_days(COUNTY, NOW + DAY)
    ids = await transfer_ids()
    assert 2 * people == len(ids)
    chosen = {place for edge in (0, 255, 511, len(ids) - 1) for place in range(edge - 2, edge + 2)}
    for place in sorted(chosen & set(range(len(ids)))):
        lines = await marks(ids[place])
        long = "？" if people > 85 else "✓"
        assert f"·{long}✓？？" == "".join(line.mark for line in lines)


async def test_the_service_cannot_change_a_closed_day(rollback: None) -> None:
    """Neither with its own rights nor, for the alarm, as the owner."""
    await one(award(new_id(), await fund()))
    await service.close_days(COUNTY, NOW + DAY)
    change = "UPDATE points.day_root SET root = '' WHERE county_id = $1"
    with pytest.raises(Exception, match="permission denied"):
        async with DB.transaction():
            await DB.execute(change, COUNTY)
    with pytest.raises(Exception, match="append-only"):
        async with as_owner():
            await DB.execute(change, COUNTY)


async def test_two_closers_close_once(rollback: None) -> None:
    """Whoever comes second finds the day closed and leaves it."""
    await one(award(new_id(), await fund()))
    tree = await service.plant(COUNTY, None, NOW.date(), NOW)
    assert await queries.insert(COUNTY, tree)
    assert not await queries.insert(COUNTY, tree)
    assert len(await roots()) == 1


async def test_the_job_says_what_it_closed(rollback: None) -> None:
    """One run makes up for all days that were missed."""
    await one(award(new_id(), await fund()))
    run = {job.name: job.run for job in JOBS}["ledger.seal"]
    assert await run(COUNTY, "2026-11-05", NOW + 3 * DAY) == "封账 3 天"
    assert await run(COUNTY, "2026-11-05", NOW + 3 * DAY) == "封账 0 天"
