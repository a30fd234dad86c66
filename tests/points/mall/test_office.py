"""The office's lists of shops and goods, with the faults office files have."""

import asyncio
import io
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from datetime import date, timedelta
from typing import Any

import pytest
import xlsxwriter

from points.errors import Refused
from points.imports import Imported
from points.mall import queries
from points.mall import service as mall
from points.mall.goods_file import import_products
from points.mall.rules import Category
from points.mall.shop_file import import_shops
from shared.clock import now, today
from shared.database import DB
from shared.documents.errors import BadFile
from shared.errors import NotFound
from shared.identity import queries as identity
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.roles import Role
from tests import factories
from tests.factories import COUNTY, acting

SHOP_HEAD = ["序号", "乡镇", "店名", "店主", "手机号", "结算账户名", "协议起", "协议止"]
GOODS_HEAD = ["序号", "品名", "单位", "兑换积分", "协议进价元", "初始库存"]


def workbook(head: list[str], rows: list[list[Any]]) -> bytes:
    """A sheet as offices send it: title, unit and date, header, lines, signatures."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.merge_range(0, 0, 0, len(head) - 1, "通城县名录（2026年11月）")
        sheet.write_row(1, 0, ["填报单位：中共通城县委组织部"])
        sheet.write_row(2, 0, head)
        for number, row in enumerate(rows):
            sheet.write_row(3 + number, 0, [number + 1, *row])
        sheet.write_row(4 + len(rows), 0, ["制表人：", "", "", "审核人："])
    return target.getvalue()


def shops(*rows: list[Any]) -> bytes:
    return workbook(SHOP_HEAD, list(rows))


def goods(*rows: list[Any], head: list[str] | None = None) -> bytes:
    return workbook(head or GOODS_HEAD, list(rows))


ONE = ["隽水镇", "隽水镇积分超市", "孟国平", "19965492600", "隽水镇供销合作社", "2026/1/1"]
LINE = [*ONE, "2099/12/31"]
OTHER = ["麦市镇", "麦市镇积分超市", "文慧", 19959634877, "麦市合作社", "2026/1/1", "2099/12/31"]
SOAP = ["肥皂", "块", 5.0, 4.5, 20.0]


async def read_shops(data: bytes, *, dry_run: bool = False) -> Imported:
    return await import_shops(None, COUNTY, data, "shops.xlsx", dry_run=dry_run, now=now())


async def read_goods(data: bytes, *, dry_run: bool = False) -> Imported:
    return await import_products(None, COUNTY, data, "products.xlsx", dry_run=dry_run, now=now())


async def test_a_shop_comes_with_keeper_and_agreement(rollback: None) -> None:
    """One line makes the shop, its agreement, the keeper and the keeper's post at the shop."""
    await factories.units()
    result = await read_shops(shops(LINE, OTHER))
    assert (result.rows, result.created, result.faults) == (2, 2, [])
    found = await queries.shop_by_name(COUNTY, "隽水镇积分超市", today())
    assert found is not None
    assert (found.unit_code, found.keepers) == ("421222100", ("孟国平",))
    assert (found.first_day, found.last_day) == (date(2026, 1, 1), date(2099, 12, 31))
    keeper = await roster.person_by_phone(COUNTY, "19965492600")
    assert keeper is not None
    duties = await roster.duties_at(COUNTY, keeper.id, today())
    assert [(duty.role, duty.subject_id) for duty in duties] == [(Role.SHOPKEEPER, found.id)]


async def test_the_same_list_again_changes_nothing(rollback: None) -> None:
    """A re-import adds no shop, agreement, person or post."""
    await factories.units()
    data = shops(LINE, OTHER)
    await read_shops(data)
    before = await everything()
    again = await read_shops(data)
    assert (again.created, again.changed, again.same) == (0, 0, 2)
    assert await everything() == before


async def test_a_newer_list_changes_what_differs(rollback: None) -> None:
    """A new account, period or keeper is added and said; the old keeper is not removed."""
    await factories.units()
    await read_shops(shops([*ONE, "2026/12/31"]))
    changed = ["隽水镇", ONE[1], "雷小兵", "13963629327", "新合作社", "2027/1/1", "2027/12/31"]
    result = await read_shops(shops(changed))
    assert (result.created, result.changed) == (0, 3)
    found = await queries.shop_by_name(COUNTY, ONE[1], date(2027, 6, 1))
    assert found is not None
    assert found.settlement_name == "新合作社"
    assert set(found.keepers) == {"孟国平", "雷小兵"}


async def test_a_changed_first_stock_is_said_to_change_nothing(rollback: None) -> None:
    """What the office types there looks like a delivery; pieces come in at the shop."""
    await factories.units()
    await read_shops(shops(LINE, OTHER))
    assert (await read_goods(goods(SOAP))).lines[-1] == "期初库存：2 处货架，共 40 件"
    assert (await read_goods(goods(SOAP))).lines == []
    again = await read_goods(goods([*SOAP[:4], 80]))
    assert (again.created, again.changed, again.same) == (0, 0, 1)
    [said] = again.lines
    assert said.startswith("有 2 处货架的库存与表里的“初始库存”不同：")


async def test_a_refused_move_leaves_no_shelf_that_keeps_the_first_stock_out(
    rollback: None,
) -> None:
    """Pieces out of an empty shelf are refused; the list of goods fills it afterwards."""
    world = await factories.small_county()
    shop = await factories.shop(world.units["421222100"])
    soap = await factories.product()
    out = mall.StockForm(id=new_id(), product_id=soap, move="out", quantity=1, reason="破损")
    with pytest.raises(Refused):
        await mall.move_stock(await acting(shop.keeper), shop.shop_id, out, now())
    assert (await read_goods(goods(SOAP))).faults == []
    (offer,) = await mall.offers(COUNTY, shop.shop_id, today() + timedelta(days=1))
    assert (offer.name, offer.quantity) == ("肥皂", 20)


async def test_the_next_keeper_gets_the_first_post_once_it_is_free(rollback: None) -> None:
    """Else the shop would have helpers only, and nobody who may bring in others."""
    await factories.units()
    await read_shops(shops(LINE))
    shop = await queries.shop_by_name(COUNTY, ONE[1], today())
    assert shop is not None
    (old,) = await identity.staff(COUNTY, shop.id, today())
    await roster.end_assignment(COUNTY, old.assignment_id, today(), reason="转让")
    result = await read_shops(shops([*LINE[:2], "雷小兵", "13963629327", *LINE[4:]]))
    assert [line for line in result.lines if "雷小兵" in line] == [
        "隽水镇积分超市：店主改为 雷小兵"
    ]
    lines = await identity.staff(COUNTY, shop.id, today())
    assert [(line.name, line.seat) for line in lines] == [("雷小兵", 1)]


async def test_a_dry_run_writes_nothing(rollback: None) -> None:
    """It says what it would do."""
    await factories.units()
    before = await everything()
    result = await read_shops(shops(LINE), dry_run=True)
    assert (result.created, len(result.lines)) == (1, 1)
    assert await everything() == before


@pytest.mark.parametrize(
    ("line", "column", "sentence"),
    [
        (["不在镇", *LINE[1:]], "乡镇", "名册里没有这个单位"),
        (["", *LINE[1:]], "乡镇", "请填乡镇"),
        ([*LINE[:3], "1996549260", *LINE[4:]], "手机号", "11 位"),
        ([*ONE, "2025/12/31"], "协议止", "不能早于"),
        ([*LINE[:1], "", *LINE[2:]], "店名", "不能空着"),
        ([*LINE[:5], "明年", LINE[6]], "协议起", "看不懂日期"),
    ],
)
async def test_a_faulty_shop_keeps_the_whole_file_out(
    rollback: None, line: list[Any], column: str, sentence: str
) -> None:
    """The sentence names row and column, the report is the marked workbook, nothing is written."""
    await factories.units()
    before = await everything()
    result = await read_shops(shops(OTHER, line))
    assert result.created == 0
    assert result.report is not None
    assert any(f"第 5 行“{column}”" in fault and sentence in fault for fault in result.faults)
    assert await everything() == before


async def test_two_lines_of_one_shop_are_a_fault(rollback: None) -> None:
    """So is a phone that belongs to somebody else."""
    world = await factories.small_county()
    result = await read_shops(shops(LINE, LINE))
    assert "两行同名的店" in result.faults[0]
    stolen = [*LINE[:3], world.worker.phone, *LINE[4:]]
    result = await read_shops(shops(stolen))
    assert "已登记给另一个人" in result.faults[0]


async def test_the_import_asks_the_right(rollback: None) -> None:
    """A gridworker cannot import, and is not told that there is something to import."""
    world = await factories.small_county()
    with pytest.raises(NotFound):
        await import_shops(await acting(world.worker), COUNTY, shops(LINE), "x.xlsx", now())
    desk = await acting(world.department)
    assert (await import_shops(desk, COUNTY, shops(LINE), "x.xlsx", now())).created == 1


@pytest.mark.parametrize("data", [b"", b"\x00\x01", b"PK\x03\x04 torn", b"a,b\n1,2\n"])
async def test_no_workbook_is_one_sentence(rollback: None, data: bytes) -> None:
    """Empty, torn or foreign files are refused whole."""
    await factories.units()
    with pytest.raises(BadFile):
        await read_shops(data)


async def test_goods_are_for_every_shop(rollback: None) -> None:
    """Without a column 店名 each open shop gets the price and the first stock; again: nothing."""
    await factories.units()
    await read_shops(shops(LINE, OTHER))
    data = goods(SOAP, ["大米5kg", "袋", 35, 33.00000000000001, 100])
    result = await read_goods(data)
    assert result.faults == []
    shop = await queries.shop_by_name(COUNTY, ONE[1], today())
    assert shop is not None
    offers = await mall.offers(COUNTY, shop.id, today())
    assert {(o.name, o.points, o.purchase_fen, o.quantity) for o in offers} == {
        ("肥皂", 50, 450, 20),
        ("大米5kg", 350, 3300, 100),
    }
    before = await everything()
    again = await read_goods(data)
    assert (again.created, again.changed, again.same) == (0, 0, 2)
    assert await everything() == before


async def test_goods_of_one_shop(rollback: None) -> None:
    """With a column 店名 the line is that shop's own price and stock."""
    await factories.units()
    await read_shops(shops(LINE, OTHER))
    await read_goods(goods(SOAP))
    head = [*GOODS_HEAD, "店名"]
    result = await read_goods(goods(["肥皂", "块", 6, 4.5, 9, ONE[1]], head=head))
    assert result.faults == []
    mine = await queries.shop_by_name(COUNTY, ONE[1], today())
    other = await queries.shop_by_name(COUNTY, str(OTHER[1]), today())
    assert mine is not None
    assert other is not None
    assert [o.points for o in await mall.offers(COUNTY, mine.id, today())] == [60]
    assert [o.points for o in await mall.offers(COUNTY, other.id, today())] == [50]
    assert [o.quantity for o in await mall.offers(COUNTY, mine.id, today())] == [20]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (["黄鹤楼香烟", "条", 50, 40, 1], "不得用积分兑换"),
        (["肥皂", "块", 4, 4.5, 1], "低于协议进价"),
        (["肥皂", "块", 0, 0, 1], "大于 0 的整数分"),
        (["肥皂", "块", 5.5, 4.5, 1], "大于 0 的整数分"),
        (["肥皂", "块", -5, 4.5, 1], "不能是负数"),
        (["肥皂", "块", 5, 4.505, 1], "两位小数"),
        (["肥皂", "块", 5, 4.5, -1], "不小于 0 的整数"),
        (["肥皂", "块", "五分", 4.5, 1], "应填数字"),
        (["肥皂", "块", 5, 4.5, 99999999], "库存不能超过"),
    ],
)
async def test_faulty_goods_are_refused(rollback: None, line: list[Any], sentence: str) -> None:
    """Prohibited goods, a price below cost, zero, negative and decimal amounts."""
    await factories.units()
    await read_shops(shops(LINE))
    result = await read_goods(goods(["毛巾", "条", 10, 8.8, 30], line))
    assert any("第 5 行" in fault and sentence in fault for fault in result.faults)
    assert await mall.list_products(COUNTY) == []


@pytest.mark.parametrize("known", [False, True])
async def test_a_name_too_long_is_a_fault_of_its_own_column(rollback: None, *, known: bool) -> None:
    """Of a shop that is known as of a new one; nothing is written."""
    await factories.units()
    if known:
        await read_shops(shops(LINE))
    before = await everything()
    line = [*LINE[:4], "社" * 51, *LINE[5:]]
    result = await read_shops(shops(line))
    (fault,) = result.faults
    assert "“结算账户名”：最多 50 个字" in fault
    assert await everything() == before
    long = await read_goods(goods(["皂" * 51, *SOAP[1:]]))
    assert any("“品名”：最多 50 个字" in fault for fault in long.faults)


@pytest.mark.parametrize(
    ("title", "value", "sentence"),
    [
        ("每月限兑", 0, "要填正整数"),
        ("每月限兑", 99999999999, "太大"),
        ("低库存提醒", 99999999999, "太大"),
    ],
)
@pytest.mark.parametrize("known", [False, True])
async def test_impossible_limits_are_faults(
    rollback: None, title: str, value: int, sentence: str, *, known: bool
) -> None:
    """Of goods that are in the catalogue as of new ones."""
    await factories.units()
    await read_shops(shops(LINE))
    if known:
        await read_goods(goods(SOAP))
    result = await read_goods(goods([*SOAP, value], head=[*GOODS_HEAD, title]))
    assert any("第 4 行" in fault and sentence in fault for fault in result.faults), result
    limits = [row.monthly_limit for row in await mall.list_products(COUNTY)]
    assert limits == ([None] if known else [])


async def meanwhile(
    reading: Coroutine[Any, Any, Imported], outside: Context
) -> asyncio.Task[Imported]:
    """An import that waits for what this transaction has changed."""
    task = asyncio.create_task(reading, context=outside.copy())
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    while not task.done() and not await DB.fetchval(waits):
        pass
    return task


async def test_a_shop_s_account_that_somebody_changes_meanwhile_is_a_fault(
    committed: None,
) -> None:
    """Money would go to another account than the import says."""
    world = await factories.small_county()
    await read_shops(shops(LINE))
    shop = await queries.shop_by_name(COUNTY, ONE[1], today())
    assert shop is not None
    instructor, outside = await acting(world.instructor), copy_context()
    async with DB.transaction():
        await mall.edit_shop(instructor, shop.id, shop.version, "新账户", "open")
        file = shops([*ONE[:4], "旧合作社", *LINE[5:]])
        reading = await meanwhile(read_shops(file), outside)
    assert "刚被别人改过" in (await reading).faults[0]
    after = await queries.shop_by_name(COUNTY, ONE[1], today())
    assert after is not None
    assert after.settlement_name == "新账户"


async def test_goods_that_somebody_changes_meanwhile_are_a_fault(committed: None) -> None:
    """What the file says of them is not in force, so the import must not say that it is."""
    world = await factories.small_county()
    await factories.shop(world.units["421222100"])
    head = [*GOODS_HEAD, "市场价元"]
    await read_goods(goods([*SOAP, 6], head=head))
    soap = await queries.product_by_name(COUNTY, "肥皂", "块", today())
    assert soap is not None
    form = mall.ProductForm(
        name="", category=Category.DAILY, measure="", market_fen=900, version=soap.version
    )
    desk, outside = await acting(world.department), copy_context()
    async with DB.transaction():
        await mall.edit_product(desk, soap.id, form, now())
        reading = read_goods(goods([*SOAP, 7], head=head))
        result = await meanwhile(reading, outside)
    answer = await result
    assert (answer.changed, len(answer.faults)) == (0, 1)
    assert "“肥皂”刚被别人改过" in answer.faults[0]
    after = await queries.product_by_name(COUNTY, "肥皂", "块", today())
    assert after is not None
    assert after.market_fen == 900


@pytest.mark.parametrize("kind", ["goods", "shops"])
async def test_two_files_in_opposite_order_wait_for_each_other(committed: None, kind: str) -> None:
    """Each held what the other wanted next, and one ended with an error page."""
    world = await factories.small_county()
    await factories.shop(world.units["421222100"])
    lines: list[list[Any]]
    pack: Callable[..., bytes]
    if kind == "goods":
        lines, read, pack = [SOAP, ["食用油", "桶", 60.0, 55.0, 20.0]], read_goods, goods
        assert (await read(pack(*lines))).created == 2
        soap = await queries.product_by_name(COUNTY, "肥皂", "块", today())
        assert soap is not None
        hold = queries.lock_product(COUNTY, soap.id)
    else:
        lines, read, pack = [LINE, OTHER], read_shops, shops
        assert (await read(pack(*lines))).created == 2
        lines = [[*line[:4], f"{line[4]}二部", *line[5:]] for line in lines]
        first = await queries.shop_by_name(COUNTY, str(LINE[1]), today())
        assert first is not None
        hold = queries.lock_shop(COUNTY, first.id)
    outside = copy_context()
    async with DB.transaction():
        await hold
        one = await meanwhile(read(pack(*lines)), outside)
        two = asyncio.create_task(read(pack(*reversed(lines))), context=outside.copy())
        waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        while not two.done() and await DB.fetchval(waits) < 2:
            pass
    answers = [await one, await two]
    assert [(answer.changed + answer.same, answer.faults) for answer in answers] == [(2, [])] * 2


async def test_a_market_price_below_another_shop_s_price_is_a_fault(rollback: None) -> None:
    """The file names one shop's price only; both shops' new prices at once are in order."""
    await factories.units()
    await read_shops(shops(LINE, OTHER))
    head = [*GOODS_HEAD, "店名", "市场价元"]
    names = (LINE[1], OTHER[1])
    first = await read_goods(
        goods(*[["肥皂", "块", 6, 4.5, "", name, ""] for name in names], head=head)
    )
    assert first.faults == []
    lower = [["肥皂", "块", 5, 4.5, "", name, 5.5] for name in names]
    result = await read_goods(goods(lower[0], head=head))
    assert [f"{OTHER[1]}的兑换价 6 分值 6 元" in fault for fault in result.faults] == [True]
    result = await read_goods(goods(*lower, head=head))
    assert result.faults == []


async def everything() -> dict[str, int]:
    """How many rows there are of everything an import may write."""
    tables = ["points.shop", "points.agreement", "points.product", "points.price", "points.stock"]
    tables += ["shared.person", "shared.post", "shared.assignment", "shared.audit_event"]
    return {name: await DB.fetchval(f"SELECT count(*) FROM {name}") for name in tables}
