"""The office's catalogue: which goods, price and shelf.

The same file again changes nothing, a newer one changes what differs and never removes anything
silently. Prices were agreed on paper, so they count as approved.
"""

from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from points import imports
from points.imports import Imported, Run
from points.ledger import service as ledger
from points.ledger.items import StockMove
from points.mall import queries
from points.mall import service as mall
from points.mall.rules import (
    MAX_PIECES,
    Category,
    PriceTerms,
    category_of,
    check_names,
    guess_category,
    limit_faults,
    normal,
    price_fault,
    prohibited,
)
from points.mall.schemas import ProductRow, ShopRow
from shared.audit import service as audit
from shared.clock import today
from shared.documents.read import Column, Row, Table
from shared.errors import Conflict, Invalid
from shared.identity.access import Action, require, whole_county
from shared.identity.actor import Actor

COLUMNS = (
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


class _Goods(msgspec.Struct, frozen=True):
    """One line of the catalogue; ``shops`` are those it is for, ``shop_id`` None = all of them."""

    row: Row
    name: str
    measure: str
    category: Category
    shop_id: UUID | None
    shops: tuple[ShopRow, ...]


async def import_products(
    actor: Actor | None,
    county_id: int,
    data: bytes,
    name: str,
    now: datetime,
    *,
    dry_run: bool = False,
) -> Imported:
    """Read products.xlsx: goods, prices agreed on paper, first stock.

    Without a column 店名 every line is for every open shop, with it for that shop.
    """
    if actor:
        require(actor, Action.PRODUCT_EDIT, whole_county(county_id))
    return await imports.run(
        actor, county_id, "products", COLUMNS, (name, data), _import, now, dry_run=dry_run
    )


async def _import(run: Run) -> None:
    await queries.lock_import(run.county_id)
    goods = await _goods(run)
    moves: list[StockMove] = []
    stocked = await queries.stocked(run.county_id)
    for line in goods:
        moves += await _write(run, line, stocked)
    if run.table.faults:
        return
    await _check_market(run, goods)
    if moves and not run.table.faults:
        await _stock_up(run, moves)
    if run.result.shelved:
        run.result.lines.append(SHELVED.format(run.result.shelved))


async def _goods(run: Run) -> list[_Goods]:
    """The lines that may be sold; everything else becomes a fault."""
    table = run.table
    values = await mall.values(run.county_id)
    open_shops = tuple(await mall.shops_in_business(run.county_id))
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
        check_names(row, table, ("品名", "单位"))
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


async def _write(run: Run, line: _Goods, stocked: dict[tuple[UUID, UUID], int]) -> list[StockMove]:
    """Product and price of one line; answers the first stock that is still to be entered."""
    if run.table.faults:
        return []
    row = line.row
    try:
        product_id, is_new = await _product(run, line)
        await _price(run, line, product_id, is_new=is_new)
    except (Invalid, Conflict) as error:
        run.table.fault(row, "品名", error.message)
        return []
    if not row["初始库存"]:
        return []
    first = row["初始库存"]
    run.result.shelved += sum(
        stocked.get((shop.id, product_id), first) != first for shop in line.shops
    )
    return [
        StockMove(
            id=uuid5(NAMESPACE_URL, f"gridmerit:stock:{run.county_id}:{shop.id}:{product_id}"),
            actor_id=run.actor.person_id if run.actor else None,
            shop_id=shop.id,
            product_id=product_id,
            move="in",
            quantity=first,
            at=run.now,
            memo="期初库存",
        )
        for shop in line.shops
        if (shop.id, product_id) not in stocked
    ]


async def _product(run: Run, line: _Goods) -> tuple[UUID, bool]:
    """The product of a line, and whether it is new."""
    row, result, county_id = line.row, run.result, run.county_id
    given = {"market_fen": row["市场价元"], "monthly_limit": row["每月限兑"]}
    given |= {"low_mark": row["低库存提醒"]}
    given = {name: value for name, value in given.items() if value is not None}
    old = await queries.product_by_name(county_id, line.name, line.measure, today(run.now))
    if old is None:
        form = mall.ProductForm(
            name=line.name, category=line.category, measure=line.measure, **given
        )
        result.add(f"新商品：{line.name}（{line.measure}）")
        return await mall.add_product(run.actor, county_id, form, run.now), True
    if row["品类"]:
        given["category"] = line.category.value
    new: ProductRow = msgspec.structs.replace(old, **given)
    if new == old:
        result.same += 1
    else:
        if not await queries.update_product(county_id, new):
            raise Conflict(f"“{line.name}”刚被别人改过，请核对后再导入一次。")
        await audit.record(
            run.actor, "product.edit", "product", old.id, county_id=county_id, before=old, after=new
        )
        result.change(f"{line.name}：品类、限兑或市场价有变")
    return old.id, False


async def _check_market(run: Run, goods: list[_Goods]) -> None:
    """A market price of the file may lie below a price that the file does not name."""
    for line in goods:
        if line.row["市场价元"] is None:
            continue
        on = today(run.now)
        found = await queries.product_by_name(run.county_id, line.name, line.measure, on)
        tomorrow = on + timedelta(days=1)
        if found and (fault := await mall.market_fault(run.county_id, found, tomorrow)):
            run.table.fault(line.row, "市场价元", fault)


async def _price(run: Run, line: _Goods, product_id: UUID, *, is_new: bool) -> None:
    """The line's price from today, or from tomorrow where today already began another one."""
    on = today(run.now)
    for first_day in (on, on + timedelta(days=1)):
        form = mall.PriceForm(
            product_id=product_id,
            shop_id=line.shop_id,
            first_day=first_day,
            points=line.row["兑换积分"],
            purchase_fen=line.row["协议进价元"],
        )
        try:
            changed = await mall.set_price(run.county_id, form, run.now)
        except Conflict:
            if first_day > on:
                raise
            continue
        said = f"{line.name}：{form.points // 10} 分，自 {first_day} 起"
        if changed and is_new:
            run.result.lines.append(said)
        elif changed:
            run.result.change(said)
        return


async def _stock_up(run: Run, moves: list[StockMove]) -> None:
    outcomes = await ledger.post(run.county_id, moves)
    pieces = sum(outcome.amount for outcome in outcomes if outcome.accepted)
    run.result.lines.append(f"期初库存：{len(moves)} 处货架，共 {pieces} 件")
