"""What is handed out at a shop today and at which price, and what the counter itself objects to.

Shop, price list and limit are remembered until one of them changes (``shared.memory``): a counter
asks for them with every redemption, and they change a few times a month.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec

from points.ledger.items import Line
from points.mall import service as mall
from points.mall.schemas import Offer, ShopRow
from points.redemption.schemas import ReceiptLine, WantedLine
from shared import settings_county
from shared.memory import MEMORY

NO_PRICE = 10
"""A line that is refused anyway still needs a price to be written down."""


class Counter(msgspec.Struct, frozen=True):
    """A shop as it stands on a day. How many pieces an offer has left is not kept up to date."""

    shop: ShopRow
    offers: dict[UUID, Offer]
    month_limit: int


class Terms(msgspec.Struct, frozen=True):
    """The lines of an order at the prices of the day, and what the counter itself objects to."""

    lines: tuple[Line, ...]
    refused: str = ""
    subject: UUID | None = None


async def counter_on(county_id: int, shop_id: UUID, day: date) -> Counter | None:
    """A shop with its offers; None if there is no such shop."""
    key = ("counter", county_id, shop_id, day)
    found: Counter | None = MEMORY.recall(key)
    return found or await MEMORY.learn(key, lambda: _counter(county_id, shop_id, day))


async def _counter(county_id: int, shop_id: UUID, day: date) -> Counter | None:
    shop = await mall.shop(county_id, shop_id, day)
    if shop is None:
        return None
    offers = {offer.product_id: offer for offer in await mall.offers(county_id, shop_id, day)}
    settings = await settings_county.get(county_id)
    return Counter(shop, offers, settings.month_limit)


def terms_of(
    here: Counter, wanted: Sequence[WantedLine], day: date, shown: int | None = None
) -> Terms:
    """Prices of the day for the wanted goods; ``shown`` is the total the terminal promised."""
    wanted = merged(wanted)
    offers = here.offers
    lines = tuple(_line(item, offers.get(item.product_id)) for item in wanted)
    if here.shop.state != "open":
        return Terms(lines, "shop_closed")
    if not mall.agreed(here.shop, day):
        return Terms(lines, "agreement_ended")
    for item in wanted:
        if item.product_id not in offers:
            return Terms(lines, "not_for_sale", item.product_id)
    total = sum(line.quantity * line.price for line in lines)
    if shown is not None and shown != total:
        return Terms(lines, "price_changed")
    return Terms(lines)


def merged(wanted: Sequence[WantedLine]) -> Sequence[WantedLine]:
    """A product that stands on two lines is one line with the sum."""
    pieces: dict[UUID, int] = {}
    for line in wanted:
        pieces[line.product_id] = pieces.get(line.product_id, 0) + line.quantity
    if len(pieces) == len(wanted):
        return wanted
    return [WantedLine(product_id, quantity) for product_id, quantity in pieces.items()]


def receipt_lines(here: Counter, terms: Terms) -> tuple[ReceiptLine, ...]:
    """Accepted lines as the receipt names them."""
    return tuple(
        ReceiptLine(
            line.product_id,
            here.offers[line.product_id].name,
            here.offers[line.product_id].measure,
            line.quantity,
            line.price,
        )
        for line in terms.lines
    )


def _line(item: WantedLine, offer: Offer | None) -> Line:
    return Line(
        product_id=item.product_id,
        quantity=item.quantity,
        price=offer.points if offer else NO_PRICE,
        cost_fen=offer.purchase_fen if offer else 0,
        limit=offer.monthly_limit if offer else None,
    )
