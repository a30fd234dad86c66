"""What the monthly public sheet says. Points in 0.1, money in fen."""

from datetime import date
from uuid import UUID

import msgspec

from shared.months import month_cn


class ShopStock(msgspec.Struct, frozen=True):
    """One product on a shop's shelf."""

    shop: str
    product: str
    measure: str
    quantity: int


class Corrected(msgspec.Struct, frozen=True):
    """A resolution that was mistyped: what it stood at, and what it stands at now."""

    number: str
    was_fen: int
    amount_fen: int
    reason: str


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The public figures of one fund and month; points in 0.1, money in fen."""

    budget_fen: int
    left_fen: int
    issued: int
    reversed: int
    expired: int
    redeemed: int
    undone: int
    outstanding: int
    awaiting: int
    workers: int
    """Who redeemed anything."""
    payable_fen: int
    """Payable by this month's statements."""
    stock: tuple[ShopStock, ...] = ()
    corrections: tuple[Corrected, ...] = ()
    """Those of the month."""
    month_end: bool = False
    """Balances and shelves are those of the month's end, else of the day of ``built_on``: sheets of
    earlier releases, and of a fund that was opened after the month."""


class PublicationRow(msgspec.Struct, frozen=True, kw_only=True):
    """A month's public sheet."""

    id: UUID
    fund_id: UUID
    month: str
    built_on: date
    unit_code: str
    name: str
    figures: Figures

    @property
    def chinese_month(self) -> str:
        return month_cn(self.month)
