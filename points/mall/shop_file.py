"""The office's list of shops: which unit, which keeper.

The same file again changes nothing, a newer one changes what differs and never removes anything
silently.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from points import imports
from points.imports import Imported, Run
from points.mall import queries
from points.mall import service as mall
from points.mall.rules import check_names, normal
from points.mall.schemas import ShopRow
from shared.audit import service as audit
from shared.clock import today
from shared.documents.read import Column, Row, Table
from shared.errors import Conflict, Invalid
from shared.identity.access import Action, require, whole_county
from shared.identity.actor import Actor
from shared.roster import service as roster
from shared.roster.roles import Employment, Role, UnitKind
from shared.roster.rules import county_code
from shared.roster.schemas import UnitRow

KEEPER_EMPLOYMENT = Employment.PURCHASED
"""A shop serves under an agreement with the village, which is a bought service: it ends with the
agreement and has no exit procedure of its own. The roster knows no person without a form."""

COLUMNS = (
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


class _Shop(msgspec.Struct, frozen=True):
    """One line of the list of shops, with the unit it means."""

    row: Row
    unit: UnitRow
    name: str
    old: ShopRow | None


async def import_shops(
    actor: Actor | None,
    county_id: int,
    data: bytes,
    name: str,
    now: datetime,
    *,
    dry_run: bool = False,
) -> Imported:
    """Read shops.xlsx: shop, agreement, keeper and the keeper's post. Raises BadFile."""
    if actor:
        require(actor, Action.SHOP_EDIT, whole_county(county_id))
    return await imports.run(
        actor, county_id, "shops", COLUMNS, (name, data), _import, now, dry_run=dry_run
    )


async def _import(run: Run) -> None:
    await queries.lock_import(run.county_id)
    for shop in await _shops(run):
        await _write(run, shop)


async def _shops(run: Run) -> list[_Shop]:
    """The lines that name a shop and a unit; everything else becomes a fault."""
    county_id, table = run.county_id, run.table
    everything = await roster.units_below(county_id, county_code(county_id))
    found, seen = [], set()
    for row in table.rows:
        name = normal(row["店名"] or "")
        unit = _unit(everything, row, table)
        if name in seen:
            table.fault(row, "店名", "文件里有两行同名的店，请改名或删去一行。")
            continue
        seen.add(name)
        fits = check_names(row, table, ("店名", "结算账户名"))
        if not name or unit is None or not fits:
            continue
        old = await queries.shop_by_name(county_id, name, today(run.now))
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


async def _write(run: Run, shop: _Shop) -> None:
    """Write one line; what cannot be is a fault, and then nothing of the file is kept."""
    row, table = shop.row, run.table
    first, last = row["协议起"], row["协议止"]
    if None in {first, last, row["结算账户名"], row["店主"], row["手机号"]}:
        return
    try:
        if shop.old is None:
            form = mall.ShopForm(
                unit_code=shop.unit.code,
                name=shop.name,
                settlement_name=row["结算账户名"],
                first_day=first,
                last_day=last,
            )
            shop_id = await mall.add_shop(run.actor, run.county_id, form, run.now)
            run.result.add(f"新店：{shop.name}（{shop.unit.name}），协议 {first} 至 {last}")
        else:
            shop_id = shop.old.id
            await _renew(run, shop, shop.old)
    except Invalid as error:
        table.fault(row, "协议止" if last < first else "协议起", error.message)
        return
    except Conflict as error:
        table.fault(row, "店名", error.message)
        return
    await _keeper(run, shop, shop_id)


async def _renew(run: Run, shop: _Shop, old: ShopRow) -> None:
    """A shop that is known: what differs is changed."""
    row, result, county_id = shop.row, run.result, run.county_id
    before = result.changed
    settlement = normal(row["结算账户名"])
    if settlement != old.settlement_name:
        if not await queries.update_shop(county_id, old.id, old.version, settlement, old.state):
            raise Conflict(f"“{shop.name}”刚被别人改过，请核对后再导入一次。")
        await audit.record(
            run.actor,
            "shop.edit",
            "shop",
            old.id,
            county_id=county_id,
            unit_code=old.unit_code,
            before={"settlement_name": old.settlement_name},
            after={"settlement_name": settlement},
        )
        result.change(f"{shop.name}：结算账户名改为 {settlement}")
    period = (row["协议起"], row["协议止"])
    known = await queries.agreements(county_id, old.id)
    if period not in {(item.first_day, item.last_day) for item in known}:
        await mall.agree(run.actor, county_id, old.id, *period, run.now)
        result.change(f"{shop.name}：新协议 {period[0]} 至 {period[1]}")
    if result.changed == before:
        result.same += 1


async def _keeper(run: Run, shop: _Shop, shop_id: UUID) -> None:
    """The keeper as a person with a shopkeeper's post at the shop; nobody is removed.

    The first post is the keeper's; further ones are helpers', who may bring in nobody.
    """
    row, county_id, on = shop.row, run.county_id, today(run.now)
    known = await roster.person_by_phone(county_id, row["手机号"])
    if known and known.name != row["店主"]:
        run.table.fault(row, "手机号", "这个手机号已登记给另一个人，请核对店主和手机号。")
        return
    since = row["协议起"] if shop.old is None else max(on, row["协议起"])
    keepers = [
        holder.person_id
        for holder in await roster.holders(
            county_id, Role.SHOPKEEPER, shop.unit.code, max(on, since)
        )
        if holder.subject_id == shop_id
    ]
    if known and known.id in keepers:
        return
    person_id = (
        known.id
        if known
        else await roster.add_person(
            county_id, row["店主"], row["手机号"], KEEPER_EMPLOYMENT, now=run.now
        )
    )
    first = await queries.vacant_first_post(county_id, shop_id, since)
    post_id = first or await roster.add_post(
        county_id, shop.unit.id, Role.SHOPKEEPER, subject_id=shop_id
    )
    await roster.assign(
        county_id, post_id, person_id, since, reason="积分超市名录导入", now=run.now
    )
    if first is not None:
        run.result.change(f"{shop.name}：店主改为 {row['店主']}")
    elif shop.old is not None:
        run.result.change(f"{shop.name}：增加店主 {row['店主']}，原店主如已离开请在岗位页结束任职")
