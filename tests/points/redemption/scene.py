"""A counter ready to serve: a shop with soap, rice and a pot, and a worker with points."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import httpx
import msgspec

from points.ledger import service as ledger
from points.ledger.items import AddResolution, Award, OpenFund, StockMove
from points.mall import service as mall
from points.redemption import codes
from points.redemption.schemas import RedemptionOrder, WantedLine
from shared.clock import now, today
from shared.identity import sealing, sessions
from shared.identity.accounts import ensure_account
from shared.identity.actor import Actor
from shared.ids import new_id
from tests import factories
from tests.factories import COUNTY, Member, SmallCounty, SmallShop, acting

sealing.configure("k" * 43)


class Scene(msgspec.Struct, frozen=True):
    """Everybody and everything at one counter."""

    world: SmallCounty
    shop: SmallShop
    shop_id: UUID
    keeper: Actor
    worker: Actor
    soap: UUID
    """5 points, 20 pieces."""
    rice: UUID
    """35 points, 2 pieces."""
    pot: UUID
    """210 points, 5 pieces, one a person and month."""

    def order(self, code: str, *lines: tuple[UUID, int], **more: object) -> RedemptionOrder:
        """An order of the given goods; soap if none."""
        wanted = [WantedLine(*line) for line in lines or ((self.soap, 1),)]
        fields: dict[str, object] = {"id": new_id(), "shop_id": self.shop_id}
        return RedemptionOrder(code=code, lines=wanted, **(fields | more))  # type: ignore[arg-type]

    async def code(self, at: datetime | None = None) -> str:
        """A fresh token of the worker."""
        return (await codes.issue(self.worker, at or now())).token


async def stock(shop_id: UUID, product_id: UUID, pieces: int) -> None:
    """Pieces on a shop's shelf."""
    move = StockMove(
        id=new_id(), shop_id=shop_id, product_id=product_id, move="in", quantity=pieces, at=now()
    )
    assert (await ledger.post_one(COUNTY, move)).accepted


async def fund(unit_code: str, yuan: int = 100_000) -> UUID:
    """A village's fund with one resolution."""
    fund_id = new_id()
    opened = OpenFund(id=fund_id, unit_code=unit_code, name="村集体", point_value_fen=100)
    resolved = AddResolution(
        id=new_id(),
        fund_id=fund_id,
        number="村决〔2026〕1号",
        resolved_on=today(),
        amount_fen=yuan * 100,
        day=today(),
        expires_on=None,
    )
    outcomes = await ledger.post(COUNTY, [opened, resolved])
    assert all(outcome.accepted for outcome in outcomes)
    return fund_id


async def give(
    worker: Member, points: int, fund_id: UUID, *, expires_on: date | None = date(2099, 12, 31)
) -> None:
    """Wallet points (0.1) for a worker."""
    award = Award(
        id=new_id(),
        person_id=worker.person_id,
        code="SVC-01",
        merit=points,
        wallet=points,
        fund_id=fund_id,
        unit_code=worker.unit_code[:12],
        day=today(),
        expires_on=expires_on,
    )
    assert (await ledger.post_one(COUNTY, award)).accepted


async def counter(points: int = 2070) -> Scene:
    """The scene with a worker who has so many points (0.1)."""
    world = await factories.small_county()
    shop = await factories.shop(world.units["421222100001"])
    soap = await factories.product("肥皂", 50, 450)
    rice = await factories.product("大米5kg", 350, 3300)
    pot = await factories.product("高压锅", 2100, 19800, monthly_limit=1)
    for product_id, pieces in ((soap, 20), (rice, 2), (pot, 5)):
        await stock(shop.shop_id, product_id, pieces)
    fund_id = await fund("421222100001")
    if points:
        await give(world.worker, points, fund_id)
    keeper, worker = await acting(shop.keeper), await acting(world.worker)
    return Scene(world, shop, shop.shop_id, keeper, worker, soap, rice, pot)


async def on_shelf(scene: Scene, product_id: UUID) -> int:
    """Pieces that can be handed out."""
    offers = await mall.offers(COUNTY, scene.shop_id, today())
    return next(offer.quantity for offer in offers if offer.product_id == product_id)


async def sign_in(client: httpx.AsyncClient, actor: Actor) -> None:
    """The client becomes this person."""
    account_id = await ensure_account(COUNTY, actor.person_id)
    kind: Literal["desk", "phone"] = "desk" if actor.desk else "phone"
    session = await sessions.begin(COUNTY, account_id, actor.person_id, kind, now())
    client.cookies.set("gm", session.token)


async def post(client: httpx.AsyncClient, path: str, **fields: object) -> httpx.Response:
    """A form as a browser sends it: with the token of a page."""
    if "csrftoken" not in client.cookies:
        await client.get("/sign-in")
    token = client.cookies["csrftoken"]
    return await client.post(path, data={"_csrf_token": token, **fields})
