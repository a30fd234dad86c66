"""The village of the browser tests: people with PINs, a fund, a shop with goods on its shelf."""

from uuid import UUID

import msgspec

from points.redemption import codes
from points.redemption import service as redemption
from points.redemption.schemas import RedemptionOrder, WantedLine
from points.work import service as work
from points.work.schemas import LogForm
from shared import settings_county
from shared.clock import now, today
from shared.identity import accounts, hashing
from shared.identity import queries as identity
from shared.ids import new_id
from shared.settings_county import CountySettings
from tests import factories
from tests.factories import COUNTY, Member, SmallCounty, acting
from tests.points.redemption import scene

PIN = "482915"
VILLAGE = "421222100001"


class Village(msgspec.Struct, frozen=True):
    """Who and what stands in the first village."""

    county: SmallCounty
    keeper: Member
    shop_id: UUID
    fund_id: UUID
    goods: dict[str, UUID]


async def village() -> Village:
    """Posting is immediate; soap costs 5, rice 35 points."""
    county = await factories.small_county()
    unit = county.units[VILLAGE]
    shop = await factories.shop(unit)
    goods = {
        "肥皂": await factories.product("肥皂", 50, 450),
        "大米5kg": await factories.product("大米5kg", 350, 3300),
        "菜籽油5L": await factories.product("菜籽油5L", 850, 7800),
    }
    for product_id in goods.values():
        await scene.stock(shop.shop_id, product_id, 20)
    made = Village(county, shop.keeper, shop.shop_id, await scene.fund(VILLAGE), goods)
    await settings_county.update(
        await acting(county.department, desk=True),
        COUNTY,
        CountySettings(posting_mode="immediate", complaint_phone="0715-1234567"),
    )
    await activate(
        county.worker,
        county.lead,
        county.chief,
        county.instructor,
        county.committee,
        county.supervisor,
        county.accountant,
        shop.keeper,
    )
    return made


async def activate(*members: Member) -> None:
    """Give people the tests' PIN, as spending an activation slip does."""
    pin_hash = await hashing.make(PIN)
    for member in members:
        account_id = await accounts.ensure_account(COUNTY, member.person_id)
        await identity.set_pin(COUNTY, account_id, pin_hash, now())


async def declare(worker: Member, text: str, rule_code: str = "ORG-02") -> UUID:
    """A declaration of today; its id."""
    form = LogForm(id=new_id(), rule_code=rule_code, work_date=today(), text=text)
    return (await work.log(await acting(worker), form, now=now())).id


async def some_work(made: Village) -> None:
    """Waiting, returned and posted records of the worker."""
    lead = await acting(made.county.lead)
    ids = [
        await declare(made.county.worker, f"参加网格例会，讨论第{number}组道路维修")
        for number in (1, 2, 3, 4)
    ]
    await work.verify(lead, ids[0], now=now())
    await work.send_back(lead, ids[1], "请写清楚开会的地点", now=now())


async def redeem(made: Village) -> None:
    """The worker's soap and rice of today."""
    code = await codes.issue(await acting(made.county.worker), now())
    lines = [WantedLine(made.goods["肥皂"], 2), WantedLine(made.goods["大米5kg"], 1)]
    order = RedemptionOrder(id=new_id(), shop_id=made.shop_id, code=code.token, lines=lines)
    await redemption.redeem(await acting(made.keeper), order, now())
