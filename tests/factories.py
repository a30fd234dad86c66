"""Small worlds for tests: each factory states only what a test may want to vary.

The county 421222 of :func:`small_county` has two townships with two villages of two grids each.
"""

from datetime import date
from itertools import count
from uuid import UUID

import msgspec

from points.mall import service as mall
from points.mall.rules import Category
from shared.clock import now, today
from shared.identity.actor import Actor
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.roles import Employment, Role
from shared.roster.schemas import UnitRow

COUNTY = 421222
STARTED = date(2026, 1, 1)
"""When everybody of the small county took up their post."""

_serial = count(1)


class Member(msgspec.Struct, frozen=True):
    """A person holding one post."""

    person_id: UUID
    name: str
    phone: str
    role: Role
    unit_code: str
    post_id: UUID
    assignment_id: UUID


class SmallCounty(msgspec.Struct, frozen=True):
    """Units by code and the people of :func:`small_county`."""

    county_id: int
    units: dict[str, UnitRow]
    department: Member
    instructor: Member
    chief: Member
    """Of the first village, 421222100001."""
    lead: Member
    """Of the first village, naming its first grid."""
    other_lead: Member
    """Of the first village, naming its second grid."""
    worker: Member
    """Gridworker of 421222100001001."""
    second_worker: Member
    """Gridworker of 421222100001002, same village."""
    cousin_worker: Member
    """Gridworker of 421222101001001, other township."""
    committee: Member
    supervisor: Member
    accountant: Member


def phone() -> str:
    """A fresh phone number."""
    return f"139{next(_serial):08d}"


async def member(
    role: Role,
    unit: UnitRow,
    name: str = "",
    *,
    county_id: int = COUNTY,
    number: str = "",
    employment: Employment = Employment.VILLAGE_PAID,
    grids: tuple[str, ...] = (),
    subject_id: UUID | None = None,
    valid_from: date = STARTED,
    valid_to: date | None = None,
) -> Member:
    """A new person in a new post."""
    number = number or phone()
    name = name or f"张{'一二三四五六七八九'[int(number[-1]) - 1]}明"
    person_id = await roster.add_person(county_id, name, number, employment, now=now())
    post_id = await roster.add_post(county_id, unit.id, role, grids=grids, subject_id=subject_id)
    assignment_id = await roster.assign(
        county_id, post_id, person_id, valid_from, valid_to=valid_to, now=now()
    )
    return Member(person_id, name, number, role, unit.code, post_id, assignment_id)


async def also_in(someone: Member, unit: UnitRow, valid_from: date = STARTED) -> None:
    """The same person in another gridworker's post at the same time."""
    post_id = await roster.add_post(COUNTY, unit.id, Role.GRIDWORKER)
    await roster.assign(COUNTY, post_id, someone.person_id, valid_from, now=now())


async def units(county_id: int = COUNTY) -> dict[str, UnitRow]:
    """A county, two townships (100, 101), two villages each (001, 002), two grids each."""
    root = await roster.add_county(county_id, "通城县")
    made = {root.code: root}
    for township, township_name in (("100", "隽水镇"), ("101", "麦市镇")):
        code = root.code + township
        made[code] = await roster.add_unit(county_id, code, township_name)
        for village, kind in (("001", "社区居委会"), ("002", "村委会")):
            code = root.code + township + village
            grid_type = "community" if village == "001" else "rural"
            name = township_name[:1] + village[-1] + kind
            made[code] = await roster.add_unit(county_id, code, name, grid_type=grid_type)
            for number in (1, 2):
                grid = f"{code}{number:03d}"
                made[grid] = await roster.add_unit(
                    county_id,
                    grid,
                    f"{name[:2]}第{number}网格",
                    grid_type=grid_type,
                    households=100,
                )
    return made


async def small_county(county_id: int = COUNTY) -> SmallCounty:
    """Everybody a story needs, most of them in the first village."""
    made = await units(county_id)
    root = f"{county_id:06d}"
    village = made[root + "100001"]

    async def at(role: Role, code: str, name: str, grids: tuple[str, ...] = ()) -> Member:
        return await member(role, made[root + code], name, county_id=county_id, grids=grids)

    return SmallCounty(
        county_id=county_id,
        units=made,
        department=await at(Role.DEPARTMENT, "", "周部长"),
        instructor=await at(Role.INSTRUCTOR, "100", "尹玉梅"),
        chief=await at(Role.CHIEF, "100001", "王书记"),
        lead=await at(Role.LEAD, "100001", "郑志强", (village.code + "001",)),
        other_lead=await at(Role.LEAD, "100001", "汪春花", (village.code + "002",)),
        worker=await at(Role.GRIDWORKER, "100001001", "欧阳金山"),
        second_worker=await at(Role.GRIDWORKER, "100001002", "苏建国"),
        cousin_worker=await at(Role.GRIDWORKER, "101001001", "卢立新"),
        committee=await at(Role.COMMITTEE, "100001", "单小梅"),
        supervisor=await at(Role.SUPERVISOR, "100001", "解大海"),
        accountant=await at(Role.ACCOUNTANT, "100001", "曾会计"),
    )


async def acting(someone: Member, *, on: date | None = None, desk: bool = False) -> Actor:
    """A person as the service sees them on a day, with the duties they hold then."""
    return Actor(
        county_id=int(someone.unit_code[:6]),
        person_id=someone.person_id,
        name=someone.name,
        account_id=new_id(),
        session_id=new_id(),
        desk=desk,
        duties=await roster.duties_at(int(someone.unit_code[:6]), someone.person_id, on or today()),
        device="test",
    )


class SmallShop(msgspec.Struct, frozen=True):
    """A shop and who keeps it."""

    shop_id: UUID
    keeper: Member


async def shop(
    unit: UnitRow,
    name: str = "银城积分超市",
    *,
    county_id: int = COUNTY,
    first_day: date = STARTED,
    last_day: date = date(2099, 12, 31),
) -> SmallShop:
    """An open shop at a unit with an agreement and a keeper."""
    form = mall.ShopForm(
        unit_code=unit.code,
        name=name,
        settlement_name=f"{unit.name}供销合作社",
        first_day=first_day,
        last_day=last_day,
    )
    shop_id = await mall.add_shop(None, county_id, form, now())
    keeper = await member(
        Role.SHOPKEEPER, unit, county_id=county_id, subject_id=shop_id, name="孟国平"
    )
    return SmallShop(shop_id, keeper)


async def product(
    name: str = "肥皂",
    points: int = 50,
    purchase_fen: int = 450,
    *,
    county_id: int = COUNTY,
    monthly_limit: int | None = None,
    first_day: date = STARTED,
) -> UUID:
    """Goods of the catalogue with an approved price for every shop (points in 0.1)."""
    form = mall.ProductForm(
        name=name, category=Category.DAILY, measure="块", monthly_limit=monthly_limit
    )
    product_id = await mall.add_product(None, county_id, form, now())
    price = mall.PriceForm(
        product_id=product_id,
        shop_id=None,
        first_day=first_day,
        points=points,
        purchase_fen=purchase_fen,
    )
    await mall.set_price(county_id, price, now())
    return product_id
