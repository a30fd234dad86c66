"""Clues: what stands out in a month is said in figures and leads to its rows; nothing else is."""

import io
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import httpx
import msgspec
import openpyxl
import pytest

from points.ledger import service as ledger
from points.ledger.items import StockMove
from points.oversight import rules, service
from points.work import service as work
from points.work.schemas import LogForm
from shared.audit import search
from shared.clock import now, today
from shared.database import DB
from shared.errors import Invalid, NotFound
from shared.identity.actor import Actor
from shared.identity.errors import ConfirmFirst
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.roles import Role
from tests.factories import COUNTY, SmallCounty, acting, member, small_county
from tests.points.settlement.world import THIS_MONTH, World, earn, redeem, undo, world
from tests.shared.identity.test_web import enter_desk

LAST_DAY = datetime(2026, 10, 31, 4, tzinfo=UTC)
"""Noon in China; what was done before the 30th is late by then."""
OCTOBER = "2026-10"
SHOP, WORKER = "银城积分超市", "欧阳金山"


async def clues(actor: Actor, month: str) -> dict[str, list[str]]:
    """Title → sentences, of the kinds that have any."""
    found = await service.look(actor, month)
    return {kind.title: [clue.sentence for clue in kind.clues] for kind in found if kind.clues}


async def auditor(unit_code: str = str(COUNTY)) -> Actor:
    unit = await roster.unit_by_code(COUNTY, unit_code)
    assert unit is not None
    return await acting(await member(Role.AUDITOR, unit, "秦审计"), desk=True)


async def busy_shop() -> World:
    """A worker who comes eight times this month, a neighbour who comes once."""
    made = await world()
    for someone in (made.county.worker, made.county.cousin_worker):
        await earn(someone.person_id, made.fund_id, 3000)
    for _ in range(rules.PAIR_TIMES):
        await redeem(made, now(), soap=1)
    await redeem(made, now(), soap=1, person=made.county.cousin_worker.person_id)
    return made


async def log(actor: Actor, day: int, text: str, worker_id: UUID | None = None) -> UUID:
    """A record of October that is declared on its last day."""
    form = LogForm(
        id=new_id(),
        rule_code="ORG-02",
        work_date=date(2026, 10, day),
        text=text,
        worker_id=worker_id,
    )
    return (await work.log(actor, form, now=LAST_DAY)).id


async def confirm(actor: Actor, ids: Sequence[UUID], at: datetime) -> None:
    for record_id in ids:
        await work.verify(actor, record_id, now=at)


async def busy_end() -> SmallCounty:
    """On the 31st a worker types half of October, the secretary twenty slips; the lead agrees."""
    town = await small_county()
    worker, chief = await acting(town.worker), await acting(town.chief)
    lead = await acting(town.lead)
    ids = [await log(worker, day + 1, "参加网格例会") for day in range(rules.SAME_TIMES)]
    ids += [
        await log(chief, day + 1, f"参加第 {day} 组的例会", town.worker.person_id)
        for day in range(rules.PAPER_TIMES)
    ]
    await confirm(lead, ids, LAST_DAY + timedelta(minutes=5))
    return town


async def test_a_quiet_month_has_no_clues(rollback: None) -> None:
    """One less than asks for a look: seven visits, fourteen equal records typed in time."""
    made = await world()
    await earn(made.county.worker.person_id, made.fund_id, 3000)
    ids = [await redeem(made, now(), soap=1) for _ in range(rules.PAIR_TIMES - 1)]
    for one in ids[: rules.UNDONE_TIMES - 1]:
        await undo(one)
    worker = await acting(made.county.worker)
    for day in range(1, rules.SAME_TIMES):
        form = LogForm(
            id=new_id(), rule_code="ORG-02", work_date=date(2026, 10, day), text="参加网格例会"
        )
        at = datetime(2026, 10, day, 10, tzinfo=UTC)
        await work.verify(
            await acting(made.county.lead), (await work.log(worker, form, now=at)).id, now=at
        )
    department = await made.department()
    for month in (THIS_MONTH, OCTOBER):
        assert await clues(department, month) == {}


async def test_who_comes_often_to_one_shop_is_a_clue(rollback: None) -> None:
    made = await busy_shop()
    assert await clues(await auditor(), THIS_MONTH) == {
        "同一人在同一家店兑换多": [
            f"{WORKER}在{SHOP}兑换 8 笔、40 分，该店共 9 笔、45 分，占 88%。"
        ]
    }
    assert await clues(await auditor("421222101"), THIS_MONTH) == {}, "not the own township"
    for _ in range(rules.SHOP_TIMES - rules.PAIR_TIMES - 1):
        await redeem(made, now(), soap=1)
    cousin = made.county.cousin_worker
    for _ in range(3):
        await redeem(made, now(), rice=1, person=cousin.person_id)
    [sentences] = (await clues(await auditor(), THIS_MONTH)).values()
    assert [sentence.partition("在")[0] for sentence in sentences] == [WORKER, cousin.name]
    assert sentences[1].endswith("占 53%。"), "four visits, but half of what the shop gave out"


async def test_who_keeps_the_shop_and_redeems_there_is_a_clue(rollback: None) -> None:
    """On days on which both are true; a helper may serve the keeper."""
    made = await world()
    await earn(made.county.worker.person_id, made.fund_id, 1000)
    unit = made.county.units["421222100"]
    post_id = await roster.add_post(COUNTY, unit.id, Role.SHOPKEEPER, subject_id=made.shop.shop_id)
    tomorrow = today() + timedelta(days=1)
    held = await roster.assign(COUNTY, post_id, made.county.worker.person_id, tomorrow, now=now())
    await redeem(made, now(), soap=2)
    assert await clues(await auditor(), THIS_MONTH) == {}
    await DB.execute(
        "UPDATE shared.assignment SET valid_from = $3 WHERE county_id = $1 AND id = $2",
        COUNTY,
        held,
        today(),
    )
    assert await clues(await auditor(), THIS_MONTH) == {
        "店里的人在本店兑换": [f"{WORKER}是{SHOP}的店主或店员，又在本店兑换 1 笔、10 分。"]
    }


async def test_a_shop_s_undoings_and_counts_are_clues(rollback: None) -> None:
    made = await world()
    await earn(made.county.worker.person_id, made.fund_id, 1000)
    for _ in range(rules.UNDONE_TIMES):
        await undo(await redeem(made, now(), soap=1))
    for move, quantity in (("out", 2), ("count", 110), ("count", 100)):
        outcome = await ledger.post_one(
            COUNTY,
            StockMove(
                id=new_id(),
                shop_id=made.shop.shop_id,
                product_id=made.soap,
                move=move,  # type: ignore[arg-type]
                quantity=quantity,
                at=now(),
            ),
        )
        assert outcome.accepted
    assert await clues(await auditor(), THIS_MONTH) == {
        "撤销多的店": [f"{SHOP}兑换 3 笔，撤销 3 笔，其中 3 笔是事后由村里或上级撤销。"],
        "库存改数多的店": [
            f"{SHOP}盘点改数 2 次，盘盈 12 件、盘亏 10 件，另以破损、过期等出库 2 件。"
        ],
    }


async def test_a_month_that_is_typed_and_confirmed_at_its_end_is_a_clue(rollback: None) -> None:
    """Who typed, what, who agreed how quickly, and who did so for whose paper."""
    town = await busy_end()
    assert await clues(await acting(town.department, desk=True), OCTOBER) == {
        "月底集中补记": [
            f"{WORKER}用手机记的 15 条工作中，15 条到做事当月最后两天或次月才补记，占 100%。"
        ],
        "内容相同的记录多": [f"{WORKER}有 15 条 ORG-02 的内容相同：“参加网格例会”"],
        "全部通过、核实很快": ["郑志强核实 35 条，没有退回或不认定；最多时一分钟内核实 35 条。"],
        "代录和核实集中在两个人": [
            "王书记代录、郑志强核实 20 条，涉及 1 名网格员；其中 20 条在代录后 10 分钟内核实。"
        ],
    }
    assert await clues(await auditor("421222101"), OCTOBER) == {}, "not the own township"


async def test_who_sends_something_back_is_no_clue(
    rollback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless much is confirmed in a minute."""
    monkeypatch.setattr(rules, "PASSED_TIMES", 3)
    town = await small_county()
    worker, lead = await acting(town.worker), await acting(town.lead)
    ids = [await log(worker, day, f"参加第 {day} 组的例会") for day in (29, 30, 31)]
    await confirm(lead, ids, LAST_DAY)
    department = await acting(town.department, desk=True)
    assert list(await clues(department, OCTOBER)) == ["全部通过、核实很快"]
    await work.send_back(lead, await log(worker, 28, "开会"), "请写清楚", now=LAST_DAY)
    assert await clues(department, OCTOBER) == {}


async def test_every_clue_leads_to_its_rows(client: httpx.AsyncClient) -> None:
    made = await busy_shop()
    await undo(await redeem(made, now(), rice=1))
    await enter_desk(client, made.county.department)
    page = (await client.get(f"/desk/oversight?month={THIS_MONTH}")).text
    assert "是线索，不是结论" in page
    found = await service.look(await made.department(), THIS_MONTH)
    [pair] = [clue for kind in found for clue in kind.clues]
    assert pair.rows(THIS_MONTH).replace("&", "&amp;") in page
    rows = (await client.get(pair.rows(THIS_MONTH))).text
    assert (rows.count(">兑换</span>"), made.county.cousin_worker.name in rows) == (9, False)
    assert "只列所选的店、所选的人的兑换" in rows
    assert "月没有这些" in (await client.get("/desk/oversight")).text


async def test_records_lead_to_the_village_s_sheet_and_to_the_audit(
    client: httpx.AsyncClient,
) -> None:
    town = await busy_end()
    await enter_desk(client, town.department)
    found = await service.look(await acting(town.department, desk=True), OCTOBER)
    shown = {
        kind.title: await client.get(clue.rows(OCTOBER)) for kind in found for clue in kind.clues
    }
    assert {answer.status_code for answer in shown.values()} == {200}
    assert shown["内容相同的记录多"].text.count(">参加网格例会<") == rules.SAME_TIMES


async def test_a_shop_s_page_has_a_month_s_counts(client: httpx.AsyncClient) -> None:
    """What the clue counts: pieces taken out and differences, not deliveries."""
    made = await world()
    move = StockMove(
        id=new_id(),
        shop_id=made.shop.shop_id,
        product_id=made.soap,
        move="count",
        quantity=97,
        at=now(),
        memo="包装破了",
    )
    assert (await ledger.post_one(COUNTY, move)).accepted
    await enter_desk(client, made.county.department)
    path = f"/desk/shops/{made.shop.shop_id}"
    assert (await client.get(f"{path}?month=2020-13")).status_code == 422
    for address, shown in ((path, True), (f"{path}?month=2020-01", False)):
        page = (await client.get(address)).text.partition("出库和盘点")[2]
        assert ("-3 块" in page, "包装破了" in page) == (shown, shown)
        assert "入库" not in page


async def test_a_file_needs_a_password_a_purpose_and_leaves_a_trace(rollback: None) -> None:
    made = await busy_shop()
    department, at = await made.department(), now()
    with pytest.raises(ConfirmFirst):
        await service.export(department, THIS_MONTH, "检查", at)
    fresh = msgspec.structs.replace(department, confirmed_at=at)
    with pytest.raises(Invalid, match="用途"):
        await service.export(fresh, THIS_MONTH, " ", at)
    with pytest.raises(NotFound):
        await service.export(await made.keeper(), THIS_MONTH, "好奇", at)
    name, content = await service.export(fresh, THIS_MONTH, "季度检查", at)
    assert name.startswith("通城县异常线索_")
    rows = [
        [str(cell) for cell in row]
        for row in openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True)
    ]
    [sentences] = (await clues(department, THIS_MONTH)).values()
    assert [row[1:4] for row in rows if row[0] == "1"] == [
        ["同一人在同一家店兑换多", "隽水镇", *sentences]
    ]
    assert any("不是结论" in row[0] for row in rows)
    [line] = await search.exports(department, today(), today())
    assert (line.name, line.purpose, line.row_count) == ("异常线索", "季度检查", 1)
