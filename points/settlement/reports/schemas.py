"""Rows of the exchange ledger and of the summary. Points in 0.1, money in fen."""

from datetime import datetime
from uuid import UUID

import msgspec


class LedgerFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What to look for; ``first`` inclusive, ``last`` exclusive instants."""

    first: datetime
    last: datetime
    text: str = ""
    shop_id: UUID | None = None
    worker_id: UUID | None = None


class LedgerRow(msgspec.Struct, frozen=True, kw_only=True):
    """A redemption of the exchange ledger (兑换台账), or its undoing with negative points."""

    id: UUID
    kind: str
    at: datetime
    worker: str
    township: str | None
    village: str | None
    grid: str | None
    shop: str
    goods: str
    points: int
    redeemed_at: datetime
    """When the goods were taken; of an undoing, the redemption's own time."""
    collector: str
    clerk: str
    reason: str | None
    """Of an undoing."""

    @property
    def place(self) -> str:
        return f"{self.village or ''}{self.grid or ''}"


class LedgerTotals(msgspec.Struct, frozen=True, kw_only=True):
    """What a part of the exchange ledger comes to, however many pages it has."""

    rows: int
    undone: int
    points: int
    """Less what was undone."""


class SummaryRow(msgspec.Struct, frozen=True, kw_only=True):
    """One worker's points of a period, by category (积分汇总)."""

    township: str
    village: str
    grid: str
    worker: str
    org: int
    svc: int
    opn: int
    med: int
    care: int
    law: int
    other: int
    """Opening balances and awards outside the six categories."""
    deducted: int
    total: int
    redeemed: int
    """Less what was undone in the period, whenever it was redeemed."""
    wallet: int
    """Spendable when the file was made."""
