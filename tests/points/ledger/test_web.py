"""The wallet page through the door."""

import re
from datetime import timedelta

import httpx
import msgspec
import pytest

from points.ledger import service
from points.ledger.items import Item, Opening
from points.ledger.words import label
from shared.clock import now, today
from shared.dates import chinese_date
from shared.ids import new_id
from tests.factories import COUNTY, small_county
from tests.points.ledger.builders import (
    appeal,
    award,
    fund,
    line,
    one,
    redeem,
    resolution,
    restock,
    reverse,
)
from tests.shared.identity.test_web import enter


async def test_a_worker_reads_each_movement_and_its_receipt(client: httpx.AsyncClient) -> None:
    """Own movements open to their receipt; somebody else's does not exist."""
    world = await small_county()
    item = Opening(
        id=new_id(),
        person_id=world.worker.person_id,
        code="OPENING",
        merit=120,
        wallet=0,
        fund_id=None,
        unit_code=world.worker.unit_code[:12],
        day=today(),
        expires_on=None,
        memo="期初结转",
    )
    assert (await service.post_one(COUNTY, item)).accepted
    await enter(client, world.worker)
    page = await client.get("/wallet?unit=merit")
    assert "期初结转" in page.text
    assert "+12" in page.text
    [row] = await service.transfers(COUNTY, world.worker.person_id)
    receipt = await client.get(f"/wallet/{row.id}")
    assert receipt.status_code == 200
    found = await service.own_receipt(COUNTY, world.worker.person_id, row.id)
    assert found.hash in receipt.text
    await enter(client, world.second_worker)
    assert (await client.get(f"/wallet/{row.id}")).status_code == 404


async def test_movements_are_called_what_they_are(client: httpx.AsyncClient) -> None:
    """What paid a debt, came late or ended bears no other item's words and no day of work."""
    world = await small_county()
    worker, shop, rice = world.worker.person_id, new_id(), new_id()
    fund_id, on = await fund(100), today()
    first = award(worker, fund_id, 100, expires_on=on)
    named = award(worker, fund_id, 100, expires_on=on, day=on)
    named = msgspec.structs.replace(named, memo="参加例会")
    bought = redeem(worker, shop, line(rice, 1, 20), at=now())
    items: list[Item] = [first, restock(shop, rice), bought, reverse(first), named]
    outcomes = [*await service.post(COUNTY, items), await one(resolution(fund_id, 30, "2号"))]
    assert [outcome.code for outcome in outcomes] == ["accepted"] * 6
    rows = await service.transfers(COUNTY, worker, unit="wallet")
    assert [(label(row.word, row.memo), row.amount, row.day) for row in rows][:3] == [
        ("待拨付到账", 20, None),
        ("抵扣冲回", -20, None),
        ("参加例会", 80, on),
    ]
    await enter(client, world.worker)
    wallet = (await client.get("/wallet")).text
    assert "2号" not in wallet
    assert "待抵扣" not in wallet, "nothing is owed any more"
    pages = {row.word: (await client.get(f"/wallet/{row.id}")).text for row in rows}
    assert f'href="/receipts/{bought.id}"' in pages["redeem"], "which shop, which goods"
    meeting = next(row for row in rows if row.memo == "参加例会")
    page = (await client.get(f"/wallet/{meeting.id}")).text
    assert re.search(rf"<h2>参加例会</h2>.*\+8 分.*{chinese_date(on)}", page, re.DOTALL)
    assert named.code not in page.split("自己核对这一笔")[0]


@pytest.mark.parametrize("path", ["/home", "/wallet"])
async def test_the_reminder_names_all_that_ends_on_the_day(
    client: httpx.AsyncClient, path: str
) -> None:
    """Every lot of that day counts; what has ended is to be spent while an appeal is open only.

    What ends on another day of the next thirty is named as well, or its reminder came too late.
    """
    world = await small_county()
    worker, fund_id, on = world.worker.person_id, await fund(), today()
    ends = [on + timedelta(days=days) for days in (-2, -1, 9, 9, 9, 10, 30, 31)]
    items = [award(worker, fund_id, 20, expires_on=day, day=on) for day in ends]
    await service.post(COUNTY, items)
    await enter(client, world.worker)
    text = (await client.get(path)).text
    told = text.split("，请尽早兑换")[0].rsplit("notice", 1)[-1]
    assert "6 分" in told
    assert told.endswith("到期，30 天内共 10 分")
    await appeal(worker)
    text = (await client.get(path)).text
    assert f"4 分已过有效期，最早的到{chinese_date(ends[0])}。" in text
    assert "办结前还能兑换，办结后清零，请尽早兑换" in text
    assert "到期，30 天内" not in text
