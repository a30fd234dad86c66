"""The office's lists of shops and goods, read into the mall.

Nothing is written while a cell is wrong; a dry run is the real path, rolled back. The same file
again changes nothing, a newer file changes what differs and never removes anything silently.
"""

import asyncio
from datetime import timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from points.ledger import service as ledger
from points.ledger.items import StockMove
from points.mall import queries
from points.mall import service as mall
from points.mall.rules import (
    MAX_NAME,
    MAX_PIECES,
    Category,
    PriceTerms,
    category_of,
    guess_category,
    limit_faults,
    normal,
    price_fault,
    prohibited,
)
from points.mall.schemas import ProductRow, ShopRow
from shared.audit import service as audit
from shared.clock import now, today
from shared.database import DB
from shared.documents.faults import fault_report
from shared.documents.read import Column, Row, Table, read_table
from shared.errors import Conflict, Invalid
from shared.identity.access import Action, Target, require
from shared.identity.actor import Actor
from shared.roster import service as roster
from shared.roster.roles import Employment, Role, UnitKind
from shared.roster.schemas import UnitRow

KEEPER_EMPLOYMENT = Employment.PURCHASED
"""A shop serves under an agreement with the village, which is a bought service: it ends with the
agreement and has no exit procedure of its own. The roster knows no person without a form."""

SHOP_COLUMNS = (
    Column("店名", required=True, aliases=("超市名称", "商店名称", "积分超市")),
    Column("店主", "name", required=True, aliases=("负责人", "店主姓名", "姓名")),
    Column("手机号", "phone", required=True, aliases=("联系电话", "手机", "电话")),
    Column("结算账户名", required=True, aliases=("账户名", "结算户名", "户名")),
    Column("协议起", "date", required=True, aliases=("协议开始", "协议起始日期", "起")),
    Column("协议止", "date", required=True, aliases=("协议结束", "协议终止日期", "止")),
    Column("乡镇", aliases=("乡镇街道", "所属乡镇")),
    Column("村社区", aliases=("村", "社区", "所属村")),
    Column("单位代码", "code", aliases=("村代码", "乡镇代码", "代码")),
)
PRODUCT_COLUMNS = (
    Column("品名", required=True, aliases=("商品", "商品名称", "名称")),
    Column("单位", required=True, aliases=("计量单位",)),
    Column("兑换积分", "points", required=True, aliases=("积分", "所需积分", "积分价")),
    Column("协议进价元", "yuan", required=True, aliases=("协议进价", "进价", "进价元", "协议价元")),
    Column("初始库存", "integer", aliases=("库存", "数量", "期初库存"), alone=True),
    Column("店名", aliases=("超市名称", "商店名称")),
    Column("品类", aliases=("类别", "分类")),
    Column("市场价元", "yuan", aliases=("市场价", "零售价元", "零售价")),
    Column("每月限兑", "integer", aliases=("限兑", "每人每月限兑")),
    Column("低库存提醒", "integer", aliases=("低库存", "库存下限")),
)
SHELVED = (
    "有 {} 处货架的库存与表里的“初始库存”不同：初始库存只在第一次导入时入库，这次没有改动；"
    "进货、盘点请由店主登记"
)
LIMITS = {"monthly_limit": "每月限兑", "low_mark": "低库存提醒"}


class Imported(msgspec.Struct):
    """What a file did or, in a dry run, would do; ``report`` is the marked workbook if faulty."""

    rows: int
    created: int = 0
    changed: int = 0
    same: int = 0
    shelved: int = 0
    """Shelves whose stock differs from the file's 初始库存, which only begins a shelf."""
    lines: list[str] = []
    """Every creation and change in words."""
    faults: list[str] = []
    report: bytes | None = None
    left_out: list[str] = []
    """Titles of columns that nobody reads."""
    hidden: str = ""
    """Says which hidden rows were read."""

    def add(self, line: str) -> None:
        self.created += 1
        self.lines.append(line)

    def change(self, line: str) -> None:
        self.changed += 1
        self.lines.append(line)


class _Rollback(Exception):  # noqa: N818  it is not an error
    """Ends a dry run, or an import with faults."""


class _Shop(msgspec.Struct, frozen=True):
    """One line of the list of shops, with the unit it means."""

    row: Row
    unit: UnitRow
    name: str
    old: ShopRow | None


class _Goods(msgspec.Struct, frozen=True):
    """One line of the catalogue; ``shops`` are those it is for, ``shop_id`` None = all of them."""

    row: Row
    name: str
    measure: str
    category: Category
    shop_id: UUID | None
    shops: tuple[ShopRow, ...]


async def import_shops(
    actor: Actor | None, county_id: int, data: bytes, name: str, *, dry_run: bool = False
) -> Imported:
    """Read shops.xlsx: shop, agreement, keeper and the keeper's post. Raises BadFile."""
    if actor:
        require(actor, Action.SHOP_EDIT, Target(unit_code=str(county_id)))
    table = await asyncio.to_thread(read_table, data, name, SHOP_COLUMNS)
    result = Imported(rows=len(table.rows), left_out=table.unknown, hidden=table.hidden_note())
    try:
        async with DB.transaction():
            await queries.lock_import(county_id)
            for shop in await _shops(county_id, table):
                await _write_shop(actor, county_id, shop, table, result)
            await _finish(actor, county_id, "shops", name, result, table, dry_run=dry_run)
    except _Rollback:
        pass
    return await _answer(result, table)


async def import_products(
    actor: Actor | None, county_id: int, data: bytes, name: str, *, dry_run: bool = False
) -> Imported:
    """Read products.xlsx: goods, prices agreed on paper, first stock.

    Without a column 店名 every line is for every open shop, with it for that shop.
    """
    if actor:
        require(actor, Action.PRODUCT_EDIT, Target(unit_code=str(county_id)))
    table = await asyncio.to_thread(read_table, data, name, PRODUCT_COLUMNS)
    result = Imported(rows=len(table.rows), left_out=table.unknown, hidden=table.hidden_note())
    try:
        async with DB.transaction():
            await queries.lock_import(county_id)
            goods = await _goods(county_id, table)
            moves: list[StockMove] = []
            stocked = await queries.stocked(county_id)
            for line in goods:
                moves += await _write_goods(actor, county_id, line, table, result, stocked)
            if not table.faults:
                await _check_market(county_id, goods, table)
            if moves and not table.faults:
                await _stock_up(county_id, moves, result)
            if result.shelved:
                result.lines.append(SHELVED.format(result.shelved))
            await _finish(actor, county_id, "products", name, result, table, dry_run=dry_run)
    except _Rollback:
        pass
    return await _answer(result, table)


async def _answer(result: Imported, table: Table) -> Imported:
    if table.faults:
        result.faults = table.sentences()
        result.report = await asyncio.to_thread(fault_report, table)
        result.created = result.changed = result.same = 0
        result.lines = []
    return result


async def _finish(
    actor: Actor | None,
    county_id: int,
    kind: str,
    name: str,
    result: Imported,
    table: Table,
    *,
    dry_run: bool,
) -> None:
    """Commit by returning, or roll everything back."""
    if table.faults or dry_run:
        raise _Rollback
    if result.created or result.changed:
        await audit.record(
            actor,
            f"import.{kind}",
            "import",
            county_id=county_id,
            after={"file": name, "created": result.created, "changed": result.changed},
        )


# --- shops: which unit, which keeper


async def _shops(county_id: int, table: Table) -> list[_Shop]:
    """The lines that name a shop and a unit; everything else becomes a fault."""
    everything = await roster.units_below(county_id, str(county_id))
    found, seen = [], set()
    for row in table.rows:
        name = normal(row["店名"] or "")
        unit = _unit(everything, row, table)
        if name in seen:
            table.fault(row, "店名", "文件里有两行同名的店，请改名或删去一行。")
            continue
        seen.add(name)
        fits = _check_names(row, table, ("店名", "结算账户名"))
        if not name or unit is None or not fits:
            continue
        old = await queries.shop_by_name(county_id, name, today())
        if old and old.unit_code != unit.code:
            table.fault(row, "店名", f"这家店已登记在{old.unit_name}，不能改到{unit.name}。")
        found.append(_Shop(row, unit, name, old))
    return found


def _unit(everything: list[UnitRow], row: Row, table: Table) -> UnitRow | None:
    """By code, else by the village's or township's name."""
    if code := row["单位代码"]:
        found = [unit for unit in everything if unit.code == code and unit.kind != UnitKind.GRID]
        return _only(found, row, "单位代码", table)
    township = normal(row["乡镇"] or "")
    village = normal(row["村社区"] or "")
    if not township and not village:
        table.fault(row, "乡镇", "请填乡镇（或村社区、单位代码），才知道店在哪里。")
        return None
    towns = [unit for unit in everything if unit.kind == UnitKind.TOWNSHIP]
    if township:
        town = _only([unit for unit in towns if unit.name == township], row, "乡镇", table)
        if town is None or not village:
            return town
        towns = [town]
    return _only(
        [
            unit
            for unit in everything
            if unit.kind == UnitKind.VILLAGE
            and unit.name == village
            and any(unit.code.startswith(town.code) for town in towns)
        ],
        row,
        "村社区",
        table,
    )


def _check_names(row: Row, table: Table, columns: tuple[str, ...]) -> bool:
    long = [column for column in columns if len(normal(row[column] or "")) > MAX_NAME]
    for column in long:
        table.fault(row, column, f"最多 {MAX_NAME} 个字。")
    return not long


def _only(found: list[UnitRow], row: Row, column: str, table: Table) -> UnitRow | None:
    if len(found) == 1:
        return found[0]
    table.fault(
        row,
        column,
        "有几个单位叫这个名字，请填单位代码。"
        if found
        else "名册里没有这个单位，请先导入名册或改名。",
    )
    return None


async def _write_shop(
    actor: Actor | None, county_id: int, shop: _Shop, table: Table, result: Imported
) -> None:
    """Write one line; what cannot be is a fault, and then nothing of the file is kept."""
    row, old = shop.row, shop.old
    first, last = row["协议起"], row["协议止"]
    if None in {first, last, row["结算账户名"], row["店主"], row["手机号"]}:
        return
    try:
        if old is None:
            form = mall.ShopForm(
                unit_code=shop.unit.code,
                name=shop.name,
                settlement_name=row["结算账户名"],
                first_day=first,
                last_day=last,
            )
            shop_id = await mall.add_shop(actor, county_id, form)
            result.add(f"新店：{shop.name}（{shop.unit.name}），协议 {first} 至 {last}")
        else:
            shop_id = old.id
            await _renew(actor, county_id, shop, result)
    except Invalid as error:
        table.fault(row, "协议止" if last < first else "协议起", error.message)
        return
    except Conflict as error:
        table.fault(row, "店名", error.message)
        return
    await _keeper(county_id, shop, shop_id, table, result)


async def _renew(actor: Actor | None, county_id: int, shop: _Shop, result: Imported) -> None:
    """A shop that is known: what differs is changed."""
    row, old = shop.row, shop.old
    if old is None:
        return
    before = result.changed
    settlement = normal(row["结算账户名"])
    if settlement != old.settlement_name:
        if not await queries.update_shop(county_id, old.id, old.version, settlement, old.state):
            raise Conflict(f"“{shop.name}”刚被别人改过，请核对后再导入一次。")
        after = {"settlement_name": settlement}
        await audit.record(
            actor,
            "shop.edit",
            "shop",
            old.id,
            county_id=county_id,
            unit_code=old.unit_code,
            before={"settlement_name": old.settlement_name},
            after=after,
        )
        result.change(f"{shop.name}：结算账户名改为 {settlement}")
    period = (row["协议起"], row["协议止"])
    known = await queries.agreements(county_id, old.id)
    if period not in {(item.first_day, item.last_day) for item in known}:
        await mall.agree(actor, county_id, old.id, *period)
        result.change(f"{shop.name}：新协议 {period[0]} 至 {period[1]}")
    if result.changed == before:
        result.same += 1


async def _keeper(
    county_id: int, shop: _Shop, shop_id: UUID, table: Table, result: Imported
) -> None:
    """The keeper as a person with a shopkeeper's post at the shop; nobody is removed.

    The first post is the keeper's; further ones are helpers', who may bring in nobody.
    """
    row = shop.row
    known = await roster.person_by_phone(county_id, row["手机号"])
    if known and known.name != row["店主"]:
        table.fault(row, "手机号", "这个手机号已登记给另一个人，请核对店主和手机号。")
        return
    since = row["协议起"] if shop.old is None else max(today(), row["协议起"])
    keepers = [
        holder.person_id
        for holder in await roster.holders(
            county_id, Role.SHOPKEEPER, shop.unit.code, max(today(), since)
        )
        if holder.subject_id == shop_id
    ]
    if known and known.id in keepers:
        return
    person_id = (
        known.id
        if known
        else await roster.add_person(county_id, row["店主"], row["手机号"], KEEPER_EMPLOYMENT)
    )
    first = await queries.vacant_first_post(county_id, shop_id, since)
    post_id = first or await roster.add_post(
        county_id, shop.unit.id, Role.SHOPKEEPER, subject_id=shop_id
    )
    await roster.assign(county_id, post_id, person_id, since, reason="积分超市名录导入")
    if first is not None:
        result.change(f"{shop.name}：店主改为 {row['店主']}")
    elif shop.old is not None:
        result.change(f"{shop.name}：增加店主 {row['店主']}，原店主如已离开请在岗位页结束任职")


# --- goods: which product, price and shelf


async def _goods(county_id: int, table: Table) -> list[_Goods]:
    """The lines that may be sold; everything else becomes a fault."""
    values = await mall.values(county_id)
    open_shops = tuple(await mall.shops_in_business(county_id))
    by_name = {shop.name: shop for shop in open_shops}
    named = table.has("店名")
    found, seen = [], set()
    for row in table.rows:
        name, measure = normal(row["品名"] or ""), normal(row["单位"] or "")
        if group := prohibited(name):
            table.fault(row, "品名", f"“{name}”属于{group}，不得用积分兑换。")
        category = guess_category(name)
        if row["品类"]:
            listed = category_of(row["品类"])
            if listed is None:
                table.fault(row, "品类", "不在品类表里，请改成表里的品类，或不填。")
            category = listed or category
        shop = by_name.get(normal(row["店名"] or "")) if named else None
        if named and shop is None:
            table.fault(row, "店名", "没有这家营业的店，请先导入积分超市名录或改名。")
        key = (name, measure, shop.id if shop else None)
        if key in seen:
            table.fault(row, "品名", "文件里有两行相同的商品，请删去一行。")
        seen.add(key)
        _check_names(row, table, ("品名", "单位"))
        _check_price(row, table, values)
        for field, fault in limit_faults(row["每月限兑"], row["低库存提醒"]).items():
            table.fault(row, LIMITS[field], fault)
        shops = (shop,) if shop else open_shops
        found.append(_Goods(row, name, measure, category, shop.id if shop else None, shops))
    return found


def _check_price(row: Row, table: Table, values: tuple[int, int | None]) -> None:
    points, cost = row["兑换积分"], row["协议进价元"]
    if points is None or cost is None:
        return
    if fault := price_fault(PriceTerms(points, cost, row["市场价元"]), *values):
        table.fault(row, "兑换积分", fault)
    if row["初始库存"] is not None and row["初始库存"] > MAX_PIECES:
        table.fault(row, "初始库存", f"库存不能超过 {MAX_PIECES}，请核对。")


async def _write_goods(
    actor: Actor | None,
    county_id: int,
    line: _Goods,
    table: Table,
    result: Imported,
    stocked: dict[tuple[UUID, UUID], int],
) -> list[StockMove]:
    """Product and price of one line; answers the first stock that is still to be entered."""
    if table.faults:
        return []
    row = line.row
    try:
        product_id, is_new = await _product(actor, county_id, line, result)
        await _price(county_id, line, product_id, result, is_new=is_new)
    except (Invalid, Conflict) as error:
        table.fault(row, "品名", error.message)
        return []
    if not row["初始库存"]:
        return []
    at = now()
    first = row["初始库存"]
    result.shelved += sum(stocked.get((shop.id, product_id), first) != first for shop in line.shops)
    return [
        StockMove(
            id=uuid5(NAMESPACE_URL, f"gridmerit:stock:{county_id}:{shop.id}:{product_id}"),
            actor_id=actor.person_id if actor else None,
            shop_id=shop.id,
            product_id=product_id,
            move="in",
            quantity=first,
            at=at,
            memo="期初库存",
        )
        for shop in line.shops
        if (shop.id, product_id) not in stocked
    ]


async def _product(
    actor: Actor | None, county_id: int, line: _Goods, result: Imported
) -> tuple[UUID, bool]:
    """The product of a line, and whether it is new."""
    row = line.row
    given = {"market_fen": row["市场价元"], "monthly_limit": row["每月限兑"]}
    given |= {"low_mark": row["低库存提醒"]}
    given = {name: value for name, value in given.items() if value is not None}
    old = await queries.product_by_name(county_id, line.name, line.measure, today())
    if old is None:
        form = mall.ProductForm(
            name=line.name, category=line.category, measure=line.measure, **given
        )
        result.add(f"新商品：{line.name}（{line.measure}）")
        return await mall.add_product(actor, county_id, form), True
    if row["品类"]:
        given["category"] = line.category.value
    new: ProductRow = msgspec.structs.replace(old, **given)
    if new == old:
        result.same += 1
    else:
        if not await queries.update_product(county_id, new):
            raise Conflict(f"“{line.name}”刚被别人改过，请核对后再导入一次。")
        await audit.record(
            actor, "product.edit", "product", old.id, county_id=county_id, before=old, after=new
        )
        result.change(f"{line.name}：品类、限兑或市场价有变")
    return old.id, False


async def _check_market(county_id: int, goods: list[_Goods], table: Table) -> None:
    """A market price of the file may lie below a price that the file does not name."""
    for line in goods:
        if line.row["市场价元"] is None:
            continue
        found = await queries.product_by_name(county_id, line.name, line.measure, today())
        tomorrow = today() + timedelta(days=1)
        if found and (fault := await mall.market_fault(county_id, found, tomorrow)):
            table.fault(line.row, "市场价元", fault)


async def _price(
    county_id: int, line: _Goods, product_id: UUID, result: Imported, *, is_new: bool
) -> None:
    """The line's price from today, or from tomorrow where today already began another one."""
    for first_day in (today(), today() + timedelta(days=1)):
        form = mall.PriceForm(
            product_id=product_id,
            shop_id=line.shop_id,
            first_day=first_day,
            points=line.row["兑换积分"],
            purchase_fen=line.row["协议进价元"],
        )
        try:
            changed = await mall.set_price(county_id, form, at=now())
        except Conflict:
            if first_day > today():
                raise
            continue
        said = f"{line.name}：{form.points // 10} 分，自 {first_day} 起"
        if changed and is_new:
            result.lines.append(said)
        elif changed:
            result.change(said)
        return


async def _stock_up(county_id: int, moves: list[StockMove], result: Imported) -> None:
    outcomes = await ledger.post(county_id, moves)
    pieces = sum(outcome.amount for outcome in outcomes if outcome.accepted)
    result.lines.append(f"期初库存：{len(moves)} 处货架，共 {pieces} 件")
