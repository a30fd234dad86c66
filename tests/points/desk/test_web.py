"""The department's first page, and where each role begins."""

import re

import httpx
import pytest

from points.settlement.funds import service as funds
from tests.factories import small_county
from tests.points.settlement.world import earn, resolve
from tests.shared.identity.test_web import enter, enter_desk


async def test_the_desk_opens_on_the_county(client: httpx.AsyncClient) -> None:
    """Figures of the county and a line per township."""
    world = await small_county()
    await enter_desk(client, world.department)
    page = await client.get("/desk")
    assert page.status_code == 200
    for words in ("隽水镇", "麦市镇", "待签对账单", "待拨付"):
        assert words in page.text


async def test_all_that_waits_for_money_is_counted(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of funds beyond the first page as well, and of villages that no fund pays for yet."""
    monkeypatch.setattr(funds, "PAGE", 1)
    world = await small_county()
    for code, worker in (
        ("421222100001", world.worker),
        ("421222100002", world.second_worker),
    ):
        fund_id = await resolve(code, budget_fen=100)
        await earn(worker.person_id, fund_id, 310)
    await earn(world.cousin_worker.person_id, None, 200)
    await enter_desk(client, world.department)
    page = await client.get("/desk")
    assert re.findall(r"待拨付</span><strong>([\d.]+)<", page.text) == ["80"]
    assert "还没有资金承担" not in page.text, "what the further pages hold is not added up"
    monkeypatch.undo()
    assert "有 20 分待拨付还没有资金承担" in (await client.get("/desk")).text


async def test_each_role_begins_on_its_own_page(client: httpx.AsyncClient) -> None:
    """Worker, verifier, accountant; a worker has no desk."""
    world = await small_county()
    for member, path in (
        (world.worker, "/home"),
        (world.lead, "/verify"),
        (world.accountant, "/verify"),
    ):
        await enter(client, member)
        assert (await client.get("/")).headers["location"] == path
    assert (await client.get("/desk")).status_code == 404
