"""A village with a fund, a shop and somebody who spends: what settlement tests stand on."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import msgspec

from points.ledger import service as ledger
from points.ledger.items import Award, Line, Redeem, StockMove, Undo
from points.settlement import rules
from points.settlement.funds import service as funds
from points.settlement.funds.schemas import ResolutionForm
from shared.clock import now, today
from shared.database import DB
from shared.identity.actor import Actor
from shared.ids import new_id
from tests import factories
from tests.factories import COUNTY, SmallCounty, SmallShop

VILLAGE = "421222100001"
LAST_MONTH = str(today().replace(day=1) - timedelta(days=1))[:7]
THIS_MONTH = str(today())[:7]
SOAP, RICE = 50, 350
"""Prices in 0.1 point; the shop is paid 450 and 3,300 fen."""


class World(msgspec.Struct, frozen=True):
    """The small county with money, goods and people who act."""

    county: SmallCounty
    shop: SmallShop
    fund_id: UUID
    soap: UUID
    rice: UUID

    async def keeper(self) -> Actor:
        return await factories.acting(self.shop.keeper)

    async def accountant(self) -> Actor:
        return await factories.acting(self.county.accountant)

    async def supervisor(self) -> Actor:
        return await factories.acting(self.county.supervisor)

    async def instructor(self) -> Actor:
        return await factories.acting(self.county.instructor)

    async def department(self) -> Actor:
        return await factories.acting(self.county.department, desk=True)


async def world(*, budget_fen: int = 500_000) -> World:
    """Resolved fund of the first village, a shop of its township, soap and rice on the shelf."""
    county = await factories.small_county()
    resolved = await resolve(VILLAGE, budget_fen=budget_fen)
    shop = await factories.shop(county.units["421222100"])
    made = World(
        county=county,
        shop=shop,
        fund_id=resolved,
        soap=await factories.product("肥皂", SOAP, 450),
        rice=await factories.product("大米5kg", RICE, 3300),
    )
    moves = [
        StockMove(
            id=new_id(),
            shop_id=shop.shop_id,
            product_id=product,
            move="in",
            quantity=100,
            at=now(),
        )
        for product in (made.soap, made.rice)
    ]
    await ledger.post(COUNTY, moves)
    return made


async def resolve(
    unit_code: str, *, budget_fen: int = 500_000, number: str = "决〔2026〕1号"
) -> UUID:
    """A resolution; answers the fund."""
    form = ResolutionForm(
        unit_code=unit_code, number=number, resolved_on=date(2026, 1, 5), amount_fen=budget_fen
    )
    return (await funds.resolve(None, COUNTY, form, now())).fund_id


async def earn(
    person_id: UUID, fund_id: UUID | None, amount: int = 1000, *, expires: int = 2099
) -> None:
    """Wallet points (0.1) of one fund."""
    outcome = await ledger.post_one(
        COUNTY,
        Award(
            id=new_id(),
            person_id=person_id,
            code="SVC-01",
            merit=amount,
            wallet=amount,
            fund_id=fund_id,
            unit_code=VILLAGE,
            day=today(),
            expires_on=date(expires, 12, 31),
        ),
    )
    assert outcome.accepted


async def redeem(
    world: World, at: datetime, *, soap: int = 0, rice: int = 0, person: UUID | None = None
) -> UUID:
    """Goods over the counter at an instant; answers the redemption."""
    wanted = ((world.soap, soap, SOAP, 450), (world.rice, rice, RICE, 3300))
    lines = [
        Line(product_id=product, quantity=pieces, price=price, cost_fen=cost)
        for product, pieces, price, cost in wanted
        if pieces
    ]
    item = Redeem(
        id=new_id(),
        actor_id=world.shop.keeper.person_id,
        authority="shop",
        shop_id=world.shop.shop_id,
        lines=tuple(lines),
        means="card",
        person_id=person or world.county.worker.person_id,
        at=at,
        month_limit=None,
    )
    outcome = await ledger.post_one(COUNTY, item)
    assert outcome.accepted, outcome
    return item.id


async def undo(redemption_id: UUID) -> None:
    """Take a redemption back, now."""
    item = Undo(id=new_id(), redemption_id=redemption_id, memo="拿错了")
    assert (await ledger.post_one(COUNTY, item)).accepted


async def wallet(person_id: UUID) -> int:
    """What stands on somebody's lots, 0.1 point."""
    return int(
        await DB.fetchval(
            "SELECT COALESCE(sum(remaining), 0) FROM points.lot"
            " WHERE county_id = $1 AND person_id = $2",
            COUNTY,
            person_id,
        )
    )


def in_last_month(day: int = 10) -> datetime:
    """Noon in China of a day of the month before this one."""
    return rules.month_start(LAST_MONTH) + timedelta(days=day - 1, hours=12)


def after(month: str) -> datetime:
    """Two in the morning of the first day after a month, when the job runs."""
    return (rules.month_end(month) + timedelta(hours=2)).astimezone(UTC)
