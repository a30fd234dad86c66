"""What funds show of themselves. Points in 0.1, money in fen."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

State = Literal["", "waiting", "low"]
"""Of a fund: awards wait for money, or less than a tenth of the budget is left."""


class FundRow(msgspec.Struct, frozen=True, kw_only=True):
    """A fund with what became of its points (0.1) and what its budget has left (fen)."""

    id: UUID
    unit_code: str
    unit_name: str
    name: str
    point_value_fen: int
    budget_fen: int
    issued: int
    """Issued, less reversed."""
    expired: int
    outstanding: int
    """In wallets, holds included."""
    awaiting: int
    """待拨付."""

    @property
    def redeemed(self) -> int:
        return self.issued - self.expired - self.outstanding

    @property
    def committed_fen(self) -> int:
        return (self.issued - self.expired) * self.point_value_fen // 10

    @property
    def left_fen(self) -> int:
        return self.budget_fen - self.committed_fen

    @property
    def low(self) -> bool:
        return (self.issued - self.expired) * self.point_value_fen > self.budget_fen * 9


class FundYear(msgspec.Struct, frozen=True, kw_only=True):
    """A fund in one year, as its public sheets have it; points in 0.1, money in fen."""

    id: UUID
    unit_name: str
    name: str
    resolved_fen: int
    issued: int
    redeemed: int
    expired: int
    through: str | None
    """The last month that has a sheet; the rest is that month's end's."""
    outstanding: int | None
    left_fen: int | None


class ResolutionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that raised a fund's budget."""

    id: UUID
    fund_id: UUID
    number: str
    resolved_on: date
    amount_fen: int
    stands_fen: int
    """With its corrections."""


class ResolutionForm(msgspec.Struct, frozen=True, kw_only=True):
    """A decision as it is entered: whose fund, number, date, amount."""

    unit_code: str
    number: str
    resolved_on: date
    amount_fen: int


class CorrectionRow(msgspec.Struct, frozen=True, kw_only=True):
    """Another amount for a mistyped resolution: who asked for it, why, and what became of it."""

    id: UUID
    fund_id: UUID
    fund_name: str
    unit_code: str
    resolution_id: UUID
    number: str
    was_fen: int
    amount_fen: int
    reason: str
    state: str
    proposed_at: datetime
    proposed_by: UUID
    proposer: str
    decided_at: datetime | None
    decider: str | None
    decision_note: str


class CorrectionForm(msgspec.Struct, frozen=True, kw_only=True):
    """What a resolution really says; 0 = it should not have been entered."""

    resolution_id: UUID
    amount_fen: int
    reason: str


class Resolved(msgspec.Struct, frozen=True):
    """What a resolution did."""

    fund_id: UUID
    opened: bool
    """The fund is new."""
    released: int
    """Waiting points (0.1) that the money now covers."""
    awards: int
    """How many waiting awards got something."""
