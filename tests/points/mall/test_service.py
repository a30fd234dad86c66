"""Shops, agreements, catalogue and dated prices against PostgreSQL."""

from datetime import date, timedelta

import msgspec
import pytest

from points.mall import service as mall
from points.mall.rules import Category
from points.settlement.funds import service as funds
from points.settlement.funds.schemas import ResolutionForm
from shared import settings_county
from shared.clock import now, today
from shared.database import DB
from shared.errors import Conflict, Forbidden, Invalid, NotFound
from tests import factories
from tests.factories import COUNTY, acting
from tests.points.redemption import scene

TOMORROW = today() + timedelta(days=1)


def proposal(product_id: object, shop_id: object, points: int = 60) -> mall.PriceForm:
    """A price from tomorrow on."""
    return mall.PriceForm(
        product_id=product_id,  # type: ignore[arg-type]
        shop_id=shop_id,  # type: ignore[arg-type]
        first_day=TOMORROW,
        points=points,
        purchase_fen=450,
        reason="进价涨了",
    )


async def test_price_change_needs_the_village(rollback: None) -> None:
    """A shop proposes, its chief approves, and only from its day on does the price change."""
    world = await factories.small_county()
    shop = await factories.shop(world.units["421222100001"])
    soap = await factories.product(points=50)
    keeper, chief = await acting(shop.keeper), await acting(world.chief)
    price_id = await mall.propose_price(keeper, proposal(soap, shop.shop_id), now())
    assert await in_force(soap, shop.shop_id, TOMORROW) == 50
    assert [row.id for row in await mall.waiting_prices(chief)] == [price_id]
    await mall.decide_price(chief, price_id, approve=True, now=now())
    assert await in_force(soap, shop.shop_id, today()) == 50
    assert await in_force(soap, shop.shop_id, TOMORROW) == 60
    assert await mall.waiting_prices(chief) == []


async def test_price_is_decided_once_and_by_somebody_else(rollback: None) -> None:
    """The proposer cannot approve, a stranger sees nothing, a second decision is refused."""
    world = await factories.small_county()
    shop = await factories.shop(world.units["421222100001"])
    soap = await factories.product()
    chief = await acting(world.chief)
    price_id = await mall.propose_price(
        await acting(shop.keeper), proposal(soap, shop.shop_id), now()
    )
    with pytest.raises(NotFound):
        await mall.decide_price(
            await acting(world.cousin_worker), price_id, approve=True, now=now()
        )
    with pytest.raises(NotFound):
        await mall.decide_price(await acting(shop.keeper), price_id, approve=True, now=now())
    with pytest.raises(Invalid, match="原因"):
        await mall.decide_price(chief, price_id, approve=False, now=now())
    await mall.decide_price(chief, price_id, approve=False, note="太贵了", now=now())
    with pytest.raises(Conflict, match="办过"):
        await mall.decide_price(chief, price_id, approve=True, now=now())
    general = await mall.propose_price(await acting(world.department), proposal(soap, None), now())
    with pytest.raises(Forbidden, match="换一个人"):
        await mall.decide_price(await acting(world.department), general, approve=True, now=now())


async def test_price_of_the_past_or_below_cost_is_refused(rollback: None) -> None:
    """Old slips keep their price, and the village never pays more than the points are worth."""
    world = await factories.small_county()
    shop = await factories.shop(world.units["421222100001"])
    soap = await factories.product()
    keeper = await acting(shop.keeper)
    with pytest.raises(Invalid, match="过去"):
        await mall.propose_price(keeper, proposal(soap, shop.shop_id), now() + timedelta(2))
    with pytest.raises(Invalid, match="低于协议进价"):
        await mall.propose_price(keeper, proposal(soap, shop.shop_id, points=40), now())
    with pytest.raises(NotFound):
        await mall.propose_price(keeper, proposal(soap, None), now())


async def test_a_proposal_posted_twice_waits_once(rollback: None) -> None:
    """The village decides on one price, not on its double; another sum is another proposal."""
    world = await factories.small_county()
    shop = await factories.shop(world.units["421222100001"])
    soap = await factories.product()
    keeper, chief = await acting(shop.keeper), await acting(world.chief)
    first = await mall.propose_price(keeper, proposal(soap, shop.shop_id), now())
    assert await mall.propose_price(keeper, proposal(soap, shop.shop_id), now()) == first
    assert await mall.propose_price(keeper, proposal(soap, shop.shop_id, points=70), now()) != first
    assert len(await mall.waiting_prices(chief)) == 2
    await mall.decide_price(chief, first, approve=False, note="太贵了", now=now())
    assert await mall.propose_price(keeper, proposal(soap, shop.shop_id), now()) != first


async def test_a_price_above_the_market_of_the_day_is_not_approved(rollback: None) -> None:
    """The department has entered what the goods cost in the shops since it was proposed."""
    world = await factories.small_county()
    shop = await factories.shop(world.units["421222100001"])
    soap = await factories.product()
    price_id = await mall.propose_price(
        await acting(shop.keeper), proposal(soap, shop.shop_id), now()
    )
    known = await mall.product(COUNTY, soap)
    assert known is not None
    cheaper = mall.ProductForm(
        name=known.name, category=Category.DAILY, measure=known.measure, market_fen=550
    )
    await mall.edit_product(await acting(world.department), soap, cheaper, now())
    chief = await acting(world.chief)
    with pytest.raises(Invalid, match="高于市场价"):
        await mall.decide_price(chief, price_id, approve=True, now=now())
    assert await in_force(soap, shop.shop_id, TOMORROW) == 50
    await mall.decide_price(chief, price_id, approve=False, note="高于市场价", now=now())


async def test_the_market_price_is_not_set_below_a_price_in_force(rollback: None) -> None:
    """It names the price; once that is replaced, or the goods are withdrawn, it may be set."""
    world = await factories.small_county()
    shop = await factories.shop(world.units["421222100001"])
    soap = await factories.product(points=50)
    desk = await acting(world.department)
    own = msgspec.structs.replace(proposal(soap, shop.shop_id), first_day=today())
    await mall.set_price(COUNTY, own, now())
    cheaper = mall.ProductForm(name="", category=Category.DAILY, measure="", market_fen=550)
    with pytest.raises(Invalid, match="银城积分超市的兑换价 6 分值 6 元，高于市场价"):
        await mall.edit_product(desk, soap, cheaper, now())
    await mall.set_price(COUNTY, proposal(soap, shop.shop_id, points=50), now())
    with pytest.raises(Invalid, match="高于市场价"):
        await mall.edit_product(desk, soap, cheaper, now())
    withdrawn = msgspec.structs.replace(cheaper, state="withdrawn")
    await mall.edit_product(desk, soap, withdrawn, now())
    with pytest.raises(Invalid, match="高于市场价"):
        await mall.edit_product(desk, soap, msgspec.structs.replace(cheaper, version=2), now())
    dearer = msgspec.structs.replace(cheaper, market_fen=600, version=2)
    await mall.edit_product(desk, soap, dearer, now())


async def test_a_shop_does_not_reopen_with_a_price_above_the_market(rollback: None) -> None:
    """While it is closed the market price is entered without it; its own price follows first."""
    world = await factories.small_county()
    shop = await factories.shop(world.units["421222100001"])
    soap = await factories.product(points=50)
    desk, chief = await acting(world.department), await acting(world.chief)
    own = msgspec.structs.replace(proposal(soap, shop.shop_id), first_day=today())
    await mall.set_price(COUNTY, own, now())
    await mall.edit_shop(chief, shop.shop_id, 1, "甲", "closed", "店主外出")
    cheaper = mall.ProductForm(name="", category=Category.DAILY, measure="", market_fen=550)
    await mall.edit_product(desk, soap, cheaper, now())
    with pytest.raises(Invalid, match="本店的肥皂兑换价高于市场价"):
        await mall.edit_shop(chief, shop.shop_id, 2, "甲", "open")
    next_price = msgspec.structs.replace(own, points=50, first_day=TOMORROW)
    await mall.set_price(COUNTY, next_price, now())
    with pytest.raises(Invalid, match="高于市场价"):
        await mall.edit_shop(chief, shop.shop_id, 2, "甲", "open")
    await mall.edit_product(
        desk, soap, msgspec.structs.replace(cheaper, market_fen=600, version=2), now()
    )
    await mall.edit_shop(chief, shop.shop_id, 2, "甲", "open")


async def test_late_approval_counts_from_its_own_day(rollback: None) -> None:
    """A proposal approved after its first day does not reach back."""
    world = await factories.small_county()
    shop = await factories.shop(world.units["421222100001"])
    soap = await factories.product()
    price_id = await mall.propose_price(
        await acting(shop.keeper), proposal(soap, shop.shop_id), now()
    )
    later = TOMORROW + timedelta(days=5)
    decided = await mall.decide_price(
        await acting(world.chief), price_id, now() + timedelta(6), approve=True
    )
    assert decided.first_day == later
    assert await in_force(soap, shop.shop_id, TOMORROW) == 50


async def test_no_price_costs_a_fund_more_than_its_points(rollback: None) -> None:
    """A fund keeps the reference value it was opened with, whatever the settings become."""
    world = await factories.small_county()
    shop = await factories.shop(world.units["421222100001"])
    soap = await factories.product(points=50, purchase_fen=450)
    desk = await acting(world.department)
    county = await settings_county.get(COUNTY)

    async def value(fen: int) -> None:
        new = msgspec.structs.replace(county, point_value_fen=fen)
        await settings_county.update(desk, COUNTY, new)

    await scene.fund("421222100001")
    await value(150)
    dear = msgspec.structs.replace(proposal(soap, shop.shop_id), purchase_fen=800)
    with pytest.raises(Invalid, match="只值 6 元，低于协议进价 8 元"):
        await mall.propose_price(await acting(shop.keeper), dear, now())
    await value(80)
    form = ResolutionForm(
        unit_code="421222100002", number="村决2号", resolved_on=today(), amount_fen=100_000
    )
    with pytest.raises(Conflict, match="“肥皂”的积分价抵不上协议进价"):
        await funds.resolve(desk, COUNTY, form, now())
    await value(90)
    assert (await funds.resolve(desk, COUNTY, form, now())).opened


async def test_goods_come_back_only_at_a_price_that_every_fund_covers(rollback: None) -> None:
    """A fund of a lower reference value was opened while they were withdrawn."""
    world = await factories.small_county()
    soap = await factories.product(points=50, purchase_fen=450)
    desk = await acting(world.department)
    county = await settings_county.get(COUNTY)
    out = mall.ProductForm(name="", category=Category.DAILY, measure="", state="withdrawn")
    await mall.edit_product(desk, soap, out, now())
    lower = msgspec.structs.replace(county, point_value_fen=80)
    await settings_county.update(desk, COUNTY, lower)
    form = ResolutionForm(
        unit_code="421222100002", number="村决2号", resolved_on=today(), amount_fen=100_000
    )
    assert (await funds.resolve(desk, COUNTY, form, now())).opened
    back = msgspec.structs.replace(out, state="listed", version=2)
    with pytest.raises(Invalid, match="“肥皂”的积分价抵不上协议进价"):
        await mall.edit_product(desk, soap, back, now())
    cheaper = msgspec.structs.replace(
        proposal(soap, None, points=50), first_day=today(), purchase_fen=400
    )
    await mall.set_price(COUNTY, cheaper, now())
    await mall.edit_product(desk, soap, back, now())


async def test_two_forms_of_one_shop(rollback: None) -> None:
    """Whoever saves second is told, and nothing is overwritten."""
    world = await factories.small_county()
    shop = await factories.shop(world.units["421222100001"])
    chief = await acting(world.chief)
    await mall.edit_shop(chief, shop.shop_id, 1, "银城合作社", "open")
    with pytest.raises(Conflict, match="别人已改过"):
        await mall.edit_shop(chief, shop.shop_id, 1, "别的合作社", "open")
    found = await mall.shop(COUNTY, shop.shop_id)
    assert found is not None
    assert (found.settlement_name, found.version) == ("银城合作社", 2)


async def test_closing_a_shop_asks_why(rollback: None) -> None:
    """A shop is closed with a reason, by whoever manages its unit and nobody else."""
    world = await factories.small_county()
    shop = await factories.shop(world.units["421222100001"])
    with pytest.raises(NotFound):
        await mall.edit_shop(await acting(shop.keeper), shop.shop_id, 1, "甲", "closed", "停")
    with pytest.raises(Invalid, match="停业原因"):
        await mall.edit_shop(await acting(world.chief), shop.shop_id, 1, "甲", "closed")
    await mall.edit_shop(await acting(world.chief), shop.shop_id, 1, "甲", "closed", "店主外出")
    assert await mall.open_shops(COUNTY, today()) == []


async def test_agreements_do_not_overlap(rollback: None) -> None:
    """One agreement a day, its last as well; an end before the beginning is refused."""
    world = await factories.small_county()
    shop = await factories.shop(world.units["421222100001"], last_day=date(2026, 12, 31))
    chief = await acting(world.chief)
    with pytest.raises(Invalid, match="重叠"):
        await mall.add_agreement(chief, shop.shop_id, date(2026, 12, 31), date(2027, 12, 31), now())
    with pytest.raises(Invalid, match="不能早于"):
        await mall.add_agreement(chief, shop.shop_id, date(2027, 2, 1), date(2027, 1, 1), now())
    await mall.add_agreement(chief, shop.shop_id, date(2027, 1, 1), date(2027, 12, 31), now())
    found = await mall.shop(COUNTY, shop.shop_id, date(2027, 6, 1))
    assert found is not None
    assert mall.agreed(found, date(2027, 6, 1))
    assert mall.agreed(found, date(2027, 12, 31))
    assert not mall.agreed(found, date(2028, 1, 1))
    assert found.keepers == (shop.keeper.name,)


async def test_prohibited_goods_cannot_be_entered(rollback: None) -> None:
    """Whatever category is chosen; and a known name is not entered twice."""
    world = await factories.small_county()
    desk = await acting(world.department)
    form = mall.ProductForm(name="黄鹤楼香烟", category=Category.DAILY, measure="条")
    with pytest.raises(Invalid, match="不得用积分兑换"):
        await mall.add_product(desk, COUNTY, form, now())
    await factories.product("肥皂")
    with pytest.raises(Conflict, match="目录里已经有"):
        await mall.add_product(
            desk,
            COUNTY,
            mall.ProductForm(name="肥皂", category=Category.DAILY, measure="块"),
            now(),
        )


async def test_goods_that_are_prohibited_by_now_can_be_withdrawn(rollback: None) -> None:
    """A word that came into the list since: they go, and do not come back."""
    world = await factories.small_county()
    desk = await acting(world.department)
    voucher = await factories.product("肥皂")
    await DB.execute("UPDATE points.product SET name = '购物券' WHERE county_id = $1", COUNTY)
    out = mall.ProductForm(name="", category=Category.DAILY, measure="", state="withdrawn")
    await mall.edit_product(desk, voucher, out, now())
    back = msgspec.structs.replace(out, state="listed", version=2)
    with pytest.raises(Invalid, match="不得用积分兑换"):
        await mall.edit_product(desk, voucher, back, now())


async def test_products_are_listed_with_the_price_in_force(rollback: None) -> None:
    """The catalogue shows today's general price; a withdrawn product is found by its state."""
    world = await factories.small_county()
    soap = await factories.product("肥皂", points=50)
    desk = await acting(world.department)
    rows = await mall.list_products(COUNTY, text="皂")
    assert [(row.name, row.points, row.purchase_fen) for row in rows] == [("肥皂", 50, 450)]
    form = mall.ProductForm(
        name="", category=Category.WASHING, measure="", state="withdrawn", version=1
    )
    await mall.edit_product(desk, soap, form, now())
    assert await mall.list_products(COUNTY, state="listed") == []
    with pytest.raises(Conflict):
        await mall.edit_product(desk, soap, form, now())


async def in_force(product_id: object, shop_id: object, on: date) -> int:
    """Points of the price in force at a shop on a day."""
    found: int = await DB.fetchval(
        "SELECT points FROM points.price WHERE county_id = $1 AND product_id = $2"
        " AND (shop_id = $3 OR shop_id IS NULL) AND state = 'approved' AND first_day <= $4"
        " ORDER BY shop_id IS NULL, first_day DESC LIMIT 1",
        COUNTY,
        product_id,
        shop_id,
        on,
    )
    return found
