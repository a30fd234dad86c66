"""What the mall shows of itself. Points in 0.1, money in fen."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from points.mall.rules import CATEGORY_NAMES, Category


class ShopRow(msgspec.Struct, frozen=True):
    """A shop with the unit it belongs to and its latest agreement."""

    id: UUID
    unit_id: UUID
    unit_code: str
    unit_name: str
    name: str
    settlement_name: str
    state: str
    version: int
    first_day: date | None = None
    last_day: date | None = None
    keepers: tuple[str, ...] = ()


class AgreementRow(msgspec.Struct, frozen=True):
    """The days, both included, on which a shop may redeem."""

    id: UUID
    first_day: date
    last_day: date
    recorded_at: datetime


class ProductRow(msgspec.Struct, frozen=True):
    """A kind of goods; ``points`` and ``purchase_fen`` are the county price in force, if any."""

    id: UUID
    name: str
    category: str
    measure: str
    monthly_limit: int | None
    low_mark: int
    market_fen: int | None
    state: str
    version: int
    points: int | None = None
    purchase_fen: int | None = None

    @property
    def category_name(self) -> str:
        return CATEGORY_NAMES[Category(self.category)]


class PriceRow(msgspec.Struct, frozen=True):
    """One dated price and what became of it."""

    id: UUID
    product_id: UUID
    product_name: str
    measure: str
    shop_id: UUID | None
    shop_name: str | None
    unit_code: str | None
    first_day: date
    points: int
    purchase_fen: int
    state: str
    reason: str
    proposed_at: datetime
    proposed_by: UUID | None
    proposer: str | None
    decided_at: datetime | None
    decider: str | None
    decision_note: str
    points_before: int | None = None
    """What it would replace, 0.1 point."""


class MoveRow(msgspec.Struct, frozen=True):
    """Pieces in, out or counted."""

    kind: str
    delta: int
    quantity_after: int
    at: datetime
    reason: str
    actor_name: str | None


class GoodsMoveRow(MoveRow, frozen=True):
    """Pieces taken out, or found or missing at a count, of which goods."""

    product: str
    measure: str


class Offer(msgspec.Struct, frozen=True):
    """What a shop can hand out on a day: price in force and pieces on the shelf."""

    product_id: UUID
    name: str
    category: str
    measure: str
    points: int
    purchase_fen: int
    quantity: int
    low_mark: int
    monthly_limit: int | None = None

    @property
    def low(self) -> bool:
        return self.quantity <= self.low_mark

    @property
    def category_name(self) -> str:
        return CATEGORY_NAMES[Category(self.category)]
