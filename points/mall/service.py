"""Shops, catalogue and dated prices: who may change them, and what was in force on a day.

A price is proposed by one person and approved by another: a shop's own price by the chief of its
village (a township's shop by the instructor), a price for every shop inside the department.
"""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from points.errors import Refused
from points.ledger import service as ledger
from points.ledger.items import Code, StockMove
from points.mall import queries
from points.mall.rules import (
    MAX_NAME,
    Category,
    PriceTerms,
    limit_faults,
    normal,
    price_fault,
    prohibited,
    yuan,
)
from points.mall.schemas import (
    AgreementRow,
    GoodsMoveRow,
    MoveRow,
    Offer,
    PriceRow,
    ProductRow,
    ShopRow,
)
from shared import settings_county
from shared.audit import service as audit
from shared.clock import today
from shared.database import DB
from shared.errors import Conflict, Invalid, NotFound
from shared.identity.access import Action, Target, reach, require, whole_county
from shared.identity.actor import Actor
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.rules import county_code

PAGE = 20
MOST_SHOPS = 2000
SHOWN_GOODS = 5
MORE_THAN_FREE = "库存不够出这么多件，留着待取的不能出库。请核对件数。"
FEWER_THAN_KEPT = "盘点件数比留着待取的还少。请先把交不了货的预订作废，再盘点。"
CHANGED = "您打开之后别人已改过这条记录。请刷新，核对后再保存。"


class ShopForm(msgspec.Struct, frozen=True, kw_only=True):
    """A new shop at a unit, with its first agreement."""

    unit_code: str
    name: str
    settlement_name: str
    first_day: date
    last_day: date


class ProductForm(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of goods; ``market_fen`` empty = not known, ``monthly_limit`` empty = no limit."""

    name: str
    category: Category
    measure: str
    monthly_limit: int | None = None
    low_mark: int = 5
    market_fen: int | None = None
    state: str = "listed"
    version: int = 1


class PriceForm(msgspec.Struct, frozen=True, kw_only=True):
    """A proposed price from a day on; points in 0.1."""

    product_id: UUID
    shop_id: UUID | None
    first_day: date
    points: int
    purchase_fen: int
    reason: str = ""


class StockForm(msgspec.Struct, frozen=True, kw_only=True):
    """Pieces in, out, or counted; the id makes a double click one move."""

    id: UUID
    product_id: UUID
    move: Literal["in", "out", "count"]
    quantity: Annotated[int, Meta(ge=0, le=1_000_000)]
    reason: str = ""


def target(shop: ShopRow) -> Target:
    """A shop as the object of an action."""
    return Target(unit_code=shop.unit_code, shop_id=shop.id)


def agreed(shop: ShopRow, on: date) -> bool:
    """Whether an agreement covers the day; both ends belong to it."""
    return bool(
        shop.first_day and shop.last_day and shop.first_day <= on <= shop.last_day,
    )


async def shop(county_id: int, shop_id: UUID, on: date | None = None) -> ShopRow | None:
    """A shop with the agreement of a day (default today), else its latest one."""
    return await queries.shop(county_id, shop_id, on or today())


async def shop_by_name(county_id: int, name: str, on: date) -> ShopRow | None:
    return await queries.shop_by_name(county_id, normal(name), on)


async def view_shop(actor: Actor, shop_id: UUID) -> ShopRow:
    """A shop the actor may see. Raises NotFound."""
    found = await shop(actor.county_id, shop_id)
    if found is None:
        raise NotFound
    require(actor, Action.SHOP_VIEW, target(found))
    return found


async def list_shops(
    actor: Actor, *, state: str = "", text: str = "", page: int = 1
) -> tuple[list[ShopRow], int]:
    """One page of the shops in the actor's units, and how many there are."""
    codes = reach(actor, Action.SHOP_VIEW)
    wanted = normal(text)
    offset = (max(page, 1) - 1) * PAGE
    rows = await queries.shops(actor.county_id, today(), codes, state, wanted, (PAGE, offset))
    return rows, await queries.count_shops(actor.county_id, codes, state, wanted)


async def open_shops(county_id: int, on: date) -> list[ShopRow]:
    """Every shop of the county that may redeem on a day."""
    return [row for row in await shops_in_business(county_id) if agreed(row, on)]


async def shops_in_business(county_id: int) -> list[ShopRow]:
    """Every shop of the county that is not closed, whatever its agreement says."""
    return await queries.shops(
        county_id, today(), [county_code(county_id)], "open", "", (MOST_SHOPS, 0)
    )


async def offers(county_id: int, shop_id: UUID, on: date) -> list[Offer]:
    """What a shop can hand out on a day, by shelf."""
    return await queries.offers(county_id, shop_id, on)


async def add_shop(actor: Actor | None, county_id: int, form: ShopForm, now: datetime) -> UUID:
    """Enter a shop with its first agreement. Raises Invalid, Conflict (name), NotFound (unit)."""
    name, settlement = normal(form.name), normal(form.settlement_name)
    _required({"name": name, "settlement_name": settlement})
    unit = await roster.unit_by_code(county_id, form.unit_code)
    if unit is None:
        raise Invalid("没有这个单位。", {"unit_code": "没有这个单位代码，请核对。"})
    if actor:
        require(actor, Action.SHOP_EDIT, Target(unit_code=unit.code))
    shop_id = new_id()
    async with DB.transaction():
        if not await queries.insert_shop(county_id, shop_id, unit.id, name, settlement, now):
            raise Conflict(f"已经有一家叫“{name}”的店，请换一个店名。")
        await audit.record(
            actor,
            "shop.add",
            "shop",
            shop_id,
            county_id=county_id,
            unit_code=unit.code,
            after=form,
        )
        await agree(actor, county_id, shop_id, form.first_day, form.last_day, now)
    return shop_id


async def edit_shop(
    actor: Actor, shop_id: UUID, version: int, settlement_name: str, state: str, reason: str = ""
) -> None:
    """Change the settlement account's name, close or reopen. Raises Conflict if it has changed."""
    found = await _shop(actor, shop_id)
    settlement = normal(settlement_name)
    _required({"settlement_name": settlement})
    if state not in {"open", "closed"}:
        raise Invalid("请选营业或停业。", {"state": "请选营业或停业。"})
    if state == "closed" and found.state == "open" and not reason.strip():
        raise Invalid("请写明停业原因。", {"reason": "请写明停业原因。"})
    if state == "open" and found.state == "closed":
        await _not_dearer(actor.county_id, found.id)
    async with DB.transaction():
        if not await queries.update_shop(actor.county_id, shop_id, version, settlement, state):
            raise Conflict(CHANGED)
        await audit.record(
            actor,
            "shop.edit",
            "shop",
            shop_id,
            county_id=actor.county_id,
            unit_code=found.unit_code,
            before={"settlement_name": found.settlement_name, "state": found.state},
            after={"settlement_name": settlement, "state": state},
            reason=reason,
        )


async def agreements(actor: Actor, shop_id: UUID) -> list[AgreementRow]:
    """All agreements of a shop, latest first."""
    found = await view_shop(actor, shop_id)
    return await queries.agreements(actor.county_id, found.id)


async def add_agreement(
    actor: Actor, shop_id: UUID, first_day: date, last_day: date, now: datetime
) -> None:
    """A further period; raises Invalid for one that overlaps or ends before it begins."""
    found = await _shop(actor, shop_id)
    async with DB.transaction():
        await agree(actor, actor.county_id, found.id, first_day, last_day, now)


async def agree(
    actor: Actor | None,
    county_id: int,
    shop_id: UUID,
    first_day: date,
    last_day: date,
    now: datetime,
) -> None:
    """Write an agreement inside the caller's transaction, which has asked the right.

    Raises Invalid for a period that overlaps another or ends before it begins.
    """
    if last_day < first_day:
        raise Invalid("协议止不能早于协议起。", {"last_day": "协议止不能早于协议起。"})
    await queries.lock_shop(county_id, shop_id)
    for other in await queries.agreements(county_id, shop_id):
        if first_day <= other.last_day and last_day >= other.first_day:
            sentence = f"与已有协议 {other.first_day} 至 {other.last_day} 重叠，请改日期。"
            raise Invalid(sentence, {"first_day": sentence})
    row = AgreementRow(id=new_id(), first_day=first_day, last_day=last_day, recorded_at=now)
    await queries.insert_agreement(county_id, row, shop_id, actor.person_id if actor else None)
    await audit.record(actor, "agreement.add", "shop", shop_id, county_id=county_id, after=row)


async def product(county_id: int, product_id: UUID) -> ProductRow | None:
    return await queries.product(county_id, product_id, today())


async def list_products(
    county_id: int, *, text: str = "", category: str = "", state: str = ""
) -> list[ProductRow]:
    """The county's catalogue with the general price in force today."""
    wanted = normal(text)
    return await queries.products(county_id, today(), wanted, category, state)


async def add_product(
    actor: Actor | None, county_id: int, form: ProductForm, now: datetime
) -> UUID:
    """Enter a kind of goods. Raises Invalid for prohibited goods, Conflict for a known name."""
    if actor:
        require(actor, Action.PRODUCT_EDIT, whole_county(county_id))
    row = _checked(form, new_id())
    async with DB.transaction():
        if not await queries.insert_product(county_id, row, now):
            raise Conflict(f"目录里已经有“{row.name}（{row.measure}）”。")
        await audit.record(actor, "product.add", "product", row.id, county_id=county_id, after=form)
    return row.id


async def edit_product(actor: Actor, product_id: UUID, form: ProductForm, now: datetime) -> None:
    """Change shelf, limits or state (withdrawn goods cannot be handed out); never the name."""
    require(actor, Action.PRODUCT_EDIT, whole_county(actor.county_id))
    on = today(now)
    old = await queries.product(actor.county_id, product_id, on)
    if old is None:
        raise NotFound
    named = msgspec.structs.replace(form, name=old.name, measure=old.measure)
    row = _checked(named, product_id)
    async with DB.transaction():
        await queries.lock_product(actor.county_id, product_id)
        changed = (row.market_fen, row.state) != (old.market_fen, old.state)
        fault = await market_fault(actor.county_id, row, on) if changed else None
        if fault and row.state == "listed":
            raise Invalid(fault, {"market_fen": fault})
        if not await queries.update_product(actor.county_id, row):
            raise Conflict(CHANGED)
        if (old.state, row.state) == ("withdrawn", "listed"):
            await _still_covered(actor.county_id, product_id, on)
        await audit.record(
            actor,
            "product.edit",
            "product",
            product_id,
            county_id=actor.county_id,
            before=old,
            after=row,
        )


async def prices(actor: Actor, product_id: UUID) -> list[PriceRow]:
    """Every price a product had or may get, latest first."""
    return await queries.prices_of_product(actor.county_id, product_id)


async def shop_prices(actor: Actor, shop_id: UUID) -> list[PriceRow]:
    """A shop's own prices and proposals."""
    found = await view_shop(actor, shop_id)
    return await queries.prices_of_shop(actor.county_id, found.id)


async def waiting_prices(actor: Actor) -> list[PriceRow]:
    """Proposals that the actor's units must decide."""
    codes = reach(actor, Action.PRODUCT_APPROVE)
    return await queries.prices_waiting(actor.county_id, codes) if codes else []


async def propose_price(actor: Actor, form: PriceForm, now: datetime) -> UUID:
    """Ask for a price from today or later; the same form again is the proposal that waits.

    Raises Invalid with the reason, NotFound.
    """
    day = today(now)
    code = actor.county_code
    if form.shop_id is not None:
        found = await queries.shop(actor.county_id, form.shop_id, day)
        if found is None:
            raise NotFound
        code = found.unit_code
    require(actor, Action.PRODUCT_EDIT, Target(unit_code=code, shop_id=form.shop_id))
    if form.first_day < day:
        raise Invalid(
            "新价格不能从过去的日子算起。", {"first_day": "请选今天或以后的日期，旧单据保持旧价。"}
        )
    row = await _priced(actor.county_id, form, actor, now)
    async with DB.transaction():
        await queries.lock_product(actor.county_id, row.product_id)
        if known := await queries.same_proposal(actor.county_id, row):
            return known
        await queries.insert_price(actor.county_id, row)
        await audit.record(
            actor,
            "price.propose",
            "price",
            row.id,
            county_id=actor.county_id,
            unit_code=code,
            after=form,
            reason=form.reason,
        )
    return row.id


async def decide_price(
    actor: Actor, price_id: UUID, now: datetime, *, approve: bool, note: str = ""
) -> PriceRow:
    """Approve or refuse a proposal, by somebody other than its author.

    A proposal whose first day has passed meanwhile counts from the day of the approval: old slips
    keep the old price. Raises NotFound, Forbidden, Conflict, Invalid.
    """
    row = await queries.price(actor.county_id, price_id)
    if row is None:
        raise NotFound
    code = row.unit_code or actor.county_code
    require(actor, Action.PRODUCT_APPROVE, Target(unit_code=code, maker=row.proposed_by))
    if not approve and not note.strip():
        raise Invalid("请写明不同意的原因。", {"note": "请写明不同意的原因。"})
    day = max(row.first_day, today(now))
    state = "approved" if approve else "refused"
    async with DB.transaction():
        await queries.lock_product(actor.county_id, row.product_id)
        dated = msgspec.structs.replace(row, first_day=day)
        if approve and await queries.price_begins(actor.county_id, dated):
            raise Conflict("这一天已经有另一个批准的价格，请让店里换一个日期再报。")
        if approve:
            await _still_fits(actor.county_id, dated)
        done = await queries.decide_price(
            actor.county_id, price_id, state, day, now, actor.person_id, note.strip()
        )
        if not done:
            raise Conflict("这个价格已经有人办过了，请刷新查看结果。")
        await audit.record(
            actor,
            f"price.{state}",
            "price",
            price_id,
            county_id=actor.county_id,
            unit_code=code,
            before={"first_day": row.first_day},
            after={"state": state, "first_day": day},
            reason=note,
        )
    return msgspec.structs.replace(dated, state=state)


async def set_price(county_id: int, form: PriceForm, now: datetime) -> bool:
    """A price of an office's catalogue, agreed on paper: approved as it is read.

    False if exactly this price is in force already. Raises Invalid, and Conflict where another
    price began on the same day.
    """
    row = await _priced(county_id, form, None, now)
    approved = msgspec.structs.replace(row, state="approved", decided_at=now)
    async with DB.transaction():
        await queries.lock_product(county_id, form.product_id)
        if await queries.price_stands(county_id, approved, form.first_day):
            return False
        if await queries.price_begins(county_id, approved):
            raise Conflict("今天已经有另一个批准的价格，新价格请从明天起。")
        await queries.insert_price(county_id, approved)
        await audit.record(None, "price.import", "price", row.id, county_id=county_id, after=form)
    return True


async def values(county_id: int) -> tuple[int, int | None]:
    """What a point is worth by the settings, and by the fund that gives the least for it."""
    settings = await settings_county.get(county_id)
    return settings.point_value_fen, await queries.least_value(county_id)


async def market_fault(county_id: int, row: ProductRow, on: date) -> str | None:
    """Which price would be above the product's market price, as a sentence."""
    if row.market_fen is None:
        return None
    value, _ = await values(county_id)
    found = await queries.dearer(county_id, row.id, value, row.market_fen, on)
    if found is None:
        return None
    return (
        f"{found.shop_name or '各店通用'}的兑换价 {found.points // 10} 分值 "
        f"{yuan(found.points // 10 * value)} 元，高于市场价 {yuan(row.market_fen)} 元。"
        "请先报批新的兑换价，再改市场价。"
    )


async def check_value(
    county_id: int, old: settings_county.CountySettings, new: settings_county.CountySettings
) -> None:
    """Points are worth no more than before without cheaper goods. Raises Invalid naming them."""
    if new.point_value_fen <= old.point_value_fen:
        return
    names = await queries.dearer_goods(county_id, new.point_value_fen, today())
    if names:
        more = f"等 {len(names)} 种商品" if len(names) > SHOWN_GOODS else ""
        sentence = (
            f"每分值 {yuan(new.point_value_fen)} 元时，{'、'.join(names[:SHOWN_GOODS])}{more}"
            "的兑换价高于市场价。请先下调兑换积分或让商品下架，再改这一项。"
        )
        raise Invalid(sentence, {"point_value": sentence})


async def underpaid(county_id: int, value_fen: int, on: date) -> str | None:
    """A product that would cost a fund with this reference value more than its points."""
    return await queries.underpaid(county_id, value_fen, on)


async def move_stock(actor: Actor, shop_id: UUID, form: StockForm, now: datetime) -> None:
    """Pieces in, out or counted; the ledger keeps who and when. Raises Invalid, Refused."""
    found = await shop(actor.county_id, shop_id)
    listed = await product(actor.county_id, form.product_id)
    if found is None or listed is None:
        raise NotFound
    authority = require(actor, Action.STOCK_EDIT, target(found))
    if form.move == "out" and not form.reason.strip():
        raise Invalid("请写出库原因。", {"reason": "请写出库原因，例如破损、过期。"})
    if form.move != "count" and form.quantity < 1:
        raise Invalid("件数要大于 0。", {"quantity": "件数要大于 0。"})
    outcome = await ledger.post_one(
        actor.county_id,
        StockMove(
            id=form.id,
            actor_id=actor.person_id,
            authority=authority,
            shop_id=shop_id,
            product_id=form.product_id,
            move=form.move,
            quantity=form.quantity,
            at=now,
            memo=form.reason.strip()[:100],
        ),
        now,
    )
    if outcome.code == Code.OUT_OF_STOCK:
        sentence = FEWER_THAN_KEPT if form.move == "count" else MORE_THAN_FREE
        raise Refused(outcome.code, sentence=sentence)
    if not outcome.accepted:
        raise Refused(outcome.code, listed.name)


async def stock_moves(actor: Actor, shop_id: UUID, product_id: UUID) -> list[MoveRow]:
    """A shelf's history for whoever may see the shop."""
    found = await view_shop(actor, shop_id)
    return await queries.stock_moves(actor.county_id, found.id, product_id)


async def corrections(
    actor: Actor, shop_id: UUID, since: datetime, until: datetime
) -> list[GoodsMoveRow]:
    """A period's pieces taken out and counted differently, for whoever may see the shop."""
    found = await view_shop(actor, shop_id)
    return await queries.corrections(actor.county_id, found.id, since, until)


async def _shop(actor: Actor, shop_id: UUID) -> ShopRow:
    """A shop the actor may edit."""
    found = await shop(actor.county_id, shop_id)
    if found is None:
        raise NotFound
    require(actor, Action.SHOP_EDIT, target(found))
    return found


async def _priced(county_id: int, form: PriceForm, actor: Actor | None, now: datetime) -> PriceRow:
    """A proposal that the rules let pass. Raises Invalid with the reason."""
    found = await queries.product(county_id, form.product_id, form.first_day)
    if found is None:
        raise NotFound
    terms = PriceTerms(form.points, form.purchase_fen, found.market_fen)
    if fault := price_fault(terms, *await values(county_id)):
        raise Invalid(fault, {"points": fault})
    return PriceRow(
        id=new_id(),
        product_id=found.id,
        product_name=found.name,
        measure=found.measure,
        shop_id=form.shop_id,
        shop_name=None,
        unit_code=None,
        first_day=form.first_day,
        points=form.points,
        purchase_fen=form.purchase_fen,
        state="proposed",
        reason=form.reason.strip(),
        proposed_at=now,
        proposed_by=actor.person_id if actor else None,
        proposer=actor.name if actor else None,
        decided_at=None,
        decider=None,
        decision_note="",
    )


async def _still_fits(county_id: int, row: PriceRow) -> None:
    """What a proposal was held against may have changed since. Raises Invalid."""
    found = await queries.product(county_id, row.product_id, row.first_day)
    terms = PriceTerms(row.points, row.purchase_fen, found.market_fen if found else None)
    if fault := price_fault(terms, *await values(county_id)):
        raise Invalid(f"不能同意：{fault}", {"points": fault})


async def _still_covered(county_id: int, product_id: UUID, on: date) -> None:
    """A fund of a lower reference value was opened without withdrawn goods. Raises Invalid."""
    _, least = await values(county_id)
    if least and (name := await queries.underpaid(county_id, least, on, product_id)):
        sentence = f"下架期间立了每分参考值更低的资金，“{name}”的积分价抵不上协议进价。请先改价。"
        raise Invalid(sentence, {"state": sentence})


async def _not_dearer(county_id: int, shop_id: UUID) -> None:
    """Market prices were entered without a closed shop's own prices. Raises Invalid."""
    value, _ = await values(county_id)
    if names := await queries.dearer_goods(county_id, value, today(), shop_id):
        sentence = (
            f"停业期间市场价变了，本店的{'、'.join(names[:SHOWN_GOODS])}兑换价高于市场价。"
            "请先报批新的兑换价，再恢复营业。"
        )
        raise Invalid(sentence, {"state": sentence})


def _checked(form: ProductForm, product_id: UUID) -> ProductRow:
    """A catalogue row that the rules let pass."""
    name, measure = normal(form.name), normal(form.measure)
    _required({"name": name, "measure": measure})
    faults = {}
    if form.state == "listed" and (group := prohibited(name)):
        faults["name"] = f"“{name}”属于{group}，不得用积分兑换。"
    faults |= limit_faults(form.monthly_limit, form.low_mark)
    if form.market_fen is not None and form.market_fen < 1:
        faults["market_fen"] = "市场价要大于 0，不清楚就留空。"
    if form.state not in {"listed", "withdrawn"}:
        faults["state"] = "请选在架或下架。"
    if faults:
        raise Invalid(next(iter(faults.values())), faults)
    return ProductRow(
        id=product_id,
        name=name,
        category=form.category,
        measure=measure,
        monthly_limit=form.monthly_limit,
        low_mark=form.low_mark,
        market_fen=form.market_fen,
        state=form.state,
        version=form.version,
    )


def _required(values: dict[str, str]) -> None:
    """Raises Invalid naming every empty or overlong field."""
    faults = {name: "这一项要填。" for name, value in values.items() if not value}
    much = f"最多 {MAX_NAME} 个字。"
    faults |= {name: much for name, value in values.items() if len(value) > MAX_NAME}
    if faults:
        raise Invalid("有几处要改正。", faults)
