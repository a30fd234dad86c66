"""A redemption from the command line: the same steps as at the counter, for one worker and shop.

Whoever holds the console acts for both sides; the ledger's row says so in its device.
"""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from points.mall import service as mall
from points.redemption import codes, service
from points.redemption.schemas import RedemptionOrder, WantedLine
from shared.clock import today
from shared.errors import Invalid, NotFound
from shared.identity.accounts import ensure_account
from shared.identity.actor import Actor
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.roles import Role
from shared.roster.rules import county_code

DEVICE = "console"


async def redeem(
    county_id: int,
    shop_name: str,
    worker: str,
    items: Sequence[tuple[str, int]],
    now: datetime,
) -> service.Answer:
    """Goods by name and pieces; the worker by phone number or (where it is unique) name.

    Raises NotFound, Invalid naming what is not found.
    """
    day = today(now)
    shop = await mall.shop_by_name(county_id, shop_name, day)
    if shop is None:
        raise NotFound(f"没有叫“{shop_name}”的店。")
    offers = {offer.name: offer for offer in await mall.offers(county_id, shop.id, day)}
    if missing := [name for name, _ in items if name not in offers]:
        raise Invalid(f"{shop_name}没有这些商品：{'、'.join(missing)}。")
    buyer = await _actor(county_id, await _worker(county_id, worker, day), now)
    keepers = [
        holder.person_id
        for holder in await roster.holders(county_id, Role.SHOPKEEPER, shop.unit_code, day)
        if holder.subject_id == shop.id
    ]
    if not keepers:
        raise NotFound(f"{shop_name}还没有店主。")
    code = await codes.issue(buyer, now)
    order = RedemptionOrder(
        id=new_id(),
        shop_id=shop.id,
        code=code.token,
        lines=[WantedLine(offers[name].product_id, pieces) for name, pieces in items],
    )
    return await service.redeem(await _actor(county_id, keepers[0], now), order, now)


async def _worker(county_id: int, text: str, day: date) -> UUID:
    """A gridworker by phone or name."""
    found = await roster.person_by_phone(county_id, text)
    if found:
        return found.id
    spans = await roster.workers(county_id, county_code(county_id), day, day)
    named = {span.person_id for span in spans if span.name == text}
    if len(named) == 1:
        return named.pop()
    if named:
        raise Invalid(f"有 {len(named)} 位网格员叫“{text}”，请改用手机号。")
    raise NotFound(f"没有叫“{text}”的网格员。")


async def _actor(county_id: int, person_id: UUID, now: datetime) -> Actor:
    """The person with the duties held now."""
    card = await roster.person(county_id, person_id)
    if card is None:
        raise NotFound
    return Actor(
        county_id=county_id,
        person_id=person_id,
        name=card.name,
        account_id=await ensure_account(county_id, person_id),
        session_id=new_id(),
        duties=await roster.duties_at(county_id, person_id, today(now)),
        device=DEVICE,
    )
