"""Fill an empty installation with the demo county, through the same services as people use.

Runs once and whole, in one transaction: a county that is there stays as it is, and the same table
of sign-ins is printed. Time is an argument, so that the county always has a last month with a
statement and a running month, a half-year that was appraised and one whose cycle is open.
"""

import base64
import hmac
import struct
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from deploy.demo import appraising, history
from deploy.demo import county as data
from deploy.demo.acting import act
from deploy.demo.county import COUNTY, Someone
from points.ledger import service as ledger
from points.ledger.items import StockMove
from points.mall import service as mall
from points.rulebook import service as rulebook
from points.rulebook.variants import service as variants
from points.rulebook.variants.schemas import VariantForm
from points.settlement.funds import service as funds
from points.settlement.funds.schemas import ResolutionForm
from shared import settings_county
from shared.clock import now as clock_now
from shared.clock import today
from shared.database import DB
from shared.errors import Conflict
from shared.identity import accounts, hashing, slips
from shared.identity.actor import Actor
from shared.identity.schemas import DeskSecrets
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.roles import DESK_ROLES, ROLE_NAMES, Employment, Role
from shared.scheduling import queries as scheduling
from shared.settings import Settings

PHONE, DESK = "/sign-in", "/desk/sign-in"
STEP = 30
"""Seconds of an authenticator's code."""


class SignIn(msgspec.Struct, frozen=True):
    """One line of the printed table."""

    role: str
    name: str
    place: str
    phone: str
    secret: str
    path: str


class Demo(msgspec.Struct, frozen=True):
    """The demo county's sign-ins; ``totp_key`` goes into an authenticator app."""

    sign_ins: tuple[SignIn, ...]
    totp_key: str
    made: bool
    """False when the county was there already."""


async def seed_demo(settings: Settings) -> Demo:
    """Make the demo county if this installation is empty. Raises Conflict if it is not.

    The runtime must be up: engines, schema, pool.
    """
    counties = await scheduling.counties()
    if COUNTY not in counties:
        if counties:
            raise Conflict("库里已有别的县，不能再放演示数据。请另用一个空的数据文件夹。")
        await _fill(settings, clock_now())
    return Demo(
        sign_ins=tuple(_table()),
        totp_key=base64.b32encode(data.TOTP_SEED).decode(),
        made=COUNTY not in counties,
    )


def totp(at: datetime) -> str:
    """The six digits that the demo's authenticator shows at a moment."""
    counter = struct.pack(">Q", int(at.timestamp()) // STEP)
    mac = hmac.new(data.TOTP_SEED, counter, "sha1").digest()
    offset = mac[-1] & 15
    value = struct.unpack(">I", mac[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{value % 10**6:06d}"


async def _fill(settings: Settings, at: datetime) -> None:
    async with DB.transaction():
        began = date(today(at).year - 2, 1, 1)
        people = await _roster(began, at)
        await rulebook.ensure_seeded(COUNTY)
        department = await act(people["周敏"], at)
        county = await settings_county.get(COUNTY)
        await settings_county.update(
            department, COUNTY, msgspec.structs.replace(county, posting_mode="immediate")
        )
        await _money(at)
        shops = await _shops(began, at)
        await history.play(people, shops, at)
        await _variant(people, department, at)
        await appraising.play(people, at, settings.public_url)
        await _accounts(settings, department, people, at)


async def _roster(began: date, at: datetime) -> dict[str, UUID]:
    """Units and people; answers person ids by name."""
    await roster.add_county(COUNTY, data.COUNTY_NAME)
    for unit in data.units():
        await roster.add_unit(
            COUNTY,
            unit.code,
            unit.name,
            grid_type=unit.grid_type,
            households=unit.households,
        )
    found = {}
    for serial, someone in enumerate(data.people(), start=1):
        found[someone.name] = await _person(someone, data.phone(serial), began, at)
    return found


async def _person(
    someone: Someone, phone: str, began: date, at: datetime, shop_id: UUID | None = None
) -> UUID:
    unit = await roster.unit_by_code(COUNTY, someone.unit)
    if unit is None:
        raise ValueError(someone.unit)
    person_id = await roster.add_person(
        COUNTY, someone.name, phone, someone.employment, full_time=True, now=at
    )
    post_id = await roster.add_post(
        COUNTY, unit.id, someone.role, grids=someone.grids, subject_id=shop_id
    )
    await roster.assign(COUNTY, post_id, person_id, began, reason="演示数据", now=at)
    return person_id


async def _money(at: datetime) -> None:
    """A resolution of each village, from the beginning of the year."""
    year = today(at).year
    for number, village in enumerate(data.VILLAGES, start=1):
        form = ResolutionForm(
            unit_code=village.code,
            number=f"{village.name}决〔{year}〕{number}号",
            resolved_on=min(date(year, 1, 5), today(at)),
            amount_fen=village.budget_fen,
        )
        await funds.resolve(None, COUNTY, form, at)


async def _variant(people: dict[str, UUID], department: Actor, at: datetime) -> None:
    """An item of which villages may set what they pay, and what one of them has asked for."""
    rule = (await rulebook.history(COUNTY, "SVC-01"))[-1]
    opened = msgspec.structs.replace(
        rule, village_least=5, village_most=20, effective_from=today(at)
    )
    await rulebook.change_rule(department, opened, at - timedelta(days=1))
    village = data.VILLAGES[0]
    form = VariantForm(
        village_code=village.code,
        code=rule.code,
        points=15,
        cap_month=120,
        effective_from=today(at) + timedelta(days=7),
        resolution=f"{village.name}决〔{today(at).year}〕8号",
        resolved_on=today(at) - timedelta(days=3),
    )
    await variants.propose(await act(people[village.cadres[0]], at), form, at)


async def _shops(began: date, at: datetime) -> dict[str, UUID]:
    """Shops with keepers, the catalogue and full shelves; answers shop ids by keeper's name."""
    found = {}
    serial = len(list(data.people()))
    for number, (unit, name, settlement, keeper) in enumerate(data.SHOPS, start=1):
        form = mall.ShopForm(
            unit_code=unit,
            name=name,
            settlement_name=settlement,
            first_day=began,
            last_day=date(today(at).year + 1, 12, 31),
        )
        shop_id = await mall.add_shop(None, COUNTY, form, at)
        someone = Someone(keeper, Role.SHOPKEEPER, unit, Employment.PURCHASED)
        await _person(someone, data.phone(serial + number), began, at, shop_id)
        found[keeper] = shop_id
    moves = []
    for goods in data.GOODS:
        product = mall.ProductForm(
            name=goods.name,
            category=goods.category,
            measure=goods.measure,
            monthly_limit=goods.monthly_limit,
        )
        product_id = await mall.add_product(None, COUNTY, product, at)
        price = mall.PriceForm(
            product_id=product_id,
            shop_id=None,
            first_day=began,
            points=goods.points,
            purchase_fen=goods.purchase_fen,
        )
        await mall.set_price(COUNTY, price, at)
        moves += [
            StockMove(
                id=new_id(),
                shop_id=shop_id,
                product_id=product_id,
                move="in",
                quantity=goods.stock,
                at=at - timedelta(days=62),
                memo="期初库存",
            )
            for shop_id in found.values()
        ]
    await ledger.post(COUNTY, moves)
    return found


async def _accounts(
    settings: Settings, department: Actor, people: dict[str, UUID], at: datetime
) -> None:
    """Everybody can sign in: phones by an activation slip, the desk by password and code."""
    for someone in data.OFFICE:
        if someone.role in DESK_ROLES:
            secrets = DeskSecrets(
                password_hash=await hashing.make(data.PASSWORD),
                totp_key=data.TOTP_SEED,
                recovery_codes=(),
            )
            await accounts.give_desk(COUNTY, people[someone.name], secrets, at)
    numbers = {line.phone: line for line in _table() if line.path == PHONE}
    found = [await roster.person_by_phone(COUNTY, phone) for phone in numbers]
    ids = [card.id for card in found if card is not None]
    printed = await slips.issue(department, ids, at, settings.public_url)
    for slip, phone in zip(printed, numbers, strict=True):
        token = slip.url.rpartition("/")[2]
        await slips.activate(token, phone[-4:], data.PIN, data.PIN, "normal", at)


def _table() -> list[SignIn]:
    """The sign-ins worth printing: the office, the first village, the shops."""
    first = data.VILLAGES[0]
    lines = []
    for serial, someone in enumerate(data.people(), start=1):
        desk = someone.role in DESK_ROLES
        if someone in data.OFFICE or someone.unit.startswith(first.code):
            lines.append(
                SignIn(
                    role=ROLE_NAMES[someone.role],
                    name=someone.name,
                    place=_place(someone.unit),
                    phone=data.phone(serial),
                    secret=data.PASSWORD if desk else data.PIN,
                    path=DESK if desk else PHONE,
                )
            )
    serial = len(list(data.people()))
    for number, (_, shop, _, keeper) in enumerate(data.SHOPS, start=1):
        lines.append(
            SignIn(
                role=ROLE_NAMES[Role.SHOPKEEPER],
                name=keeper,
                place=shop,
                phone=data.phone(serial + number),
                secret=data.PIN,
                path=PHONE,
            )
        )
    return lines


def _place(code: str) -> str:
    names = {unit.code: unit.name for unit in data.units()} | {str(COUNTY): data.COUNTY_NAME}
    village = names.get(code[:12], "")
    return village + names[code] if len(code) > len("990101100001") else names[code]
