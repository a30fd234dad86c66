"""What the counter takes and gives. Points are integers of 0.1 point, times are UTC."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from shared.clock import now

MAX_LINES = 50
Pieces = Annotated[int, Meta(ge=1, le=200, description="件数")]
Amount = Annotated[int, Meta(ge=1, le=10**9, description="积分，单位 0.1 分")]
CodeText = Annotated[
    str,
    Meta(
        pattern=r"^([1-79][0-9]{7}|(https?://[^/\s]{1,200}/r/)?[ok][A-Za-z0-9_-]{22})$",
        max_length=300,
        description="扫到的网址、码或 8 位数字（一次性码或卡号）",
    ),
]
Moment = Annotated[datetime, Meta(tz=True)]
Pin = Annotated[str, Meta(pattern="^[0-9]{6}$", description="卡密码，只有持卡时需要")]
KEEPABLE = r"^[^\u0000]*$"
"""PostgreSQL cannot store NUL at all."""
ShortText = Annotated[str, Meta(max_length=20, pattern=KEEPABLE)]
LongText = Annotated[str, Meta(max_length=100, pattern=KEEPABLE)]


class WantedLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One product and how many pieces."""

    product_id: UUID
    quantity: Pieces


Wanted = Annotated[list[WantedLine], Meta(min_length=1, max_length=MAX_LINES)]


class RedemptionOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Goods for points at one shop; ``id`` is made by the caller and names this order for ever."""

    id: UUID
    shop_id: UUID
    code: CodeText
    lines: Wanted
    pin: Pin | None = None
    amount: Amount | None = None
    """What the terminal showed as the total; refused as price_changed if it is another."""
    collector: ShortText = ""


class HoldOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Goods and points kept for one shop: by a worker (no code) or at the counter (with a code)."""

    id: UUID
    shop_id: UUID
    lines: Wanted
    code: CodeText | None = None
    pin: Pin | None = None
    collector: ShortText = ""
    """The family member who fetches it; empty = the worker."""
    deliver_to: LongText = ""
    """Where it is brought to an old or disabled worker; empty = fetched at the shop."""


class HandOver(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Held goods handed over; uploaded now or, by a shop that was offline, later."""

    id: UUID
    """The redemption that it makes."""
    at: Moment | None = None
    """When it was handed over; empty = now."""
    picks: Wanted | None = None
    """Empty = everything that was held."""
    collector: ShortText | None = None
    """Left out = as it was ordered; empty = the worker, whoever was named in the order."""
    code: CodeText | None = None
    """The pickup code that was shown; without it an order given up meanwhile is not charged."""


class HoldVoid(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Give a hold back."""

    reason: LongText = ""


class ReceiptLine(msgspec.Struct, frozen=True):
    """One product of a redemption or hold at the price of that day."""

    product_id: UUID
    name: str
    measure: str
    quantity: int
    price: int

    @property
    def amount(self) -> int:
        return self.quantity * self.price


class Redemption(msgspec.Struct, frozen=True, kw_only=True):
    """An accepted redemption; a repeat of its request gets exactly this again."""

    id: UUID
    status: Literal["accepted"]
    shop_id: UUID
    shop_name: str
    hold_id: UUID | None
    means: str
    amount: int
    balance: int
    """Available wallet points right after it."""
    at: datetime
    collector: str
    batch: int
    position: int
    lines: tuple[ReceiptLine, ...]


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """An accepted hold; a repeat of its request gets exactly this again."""

    id: UUID
    status: Literal["accepted"]
    shop_id: UUID
    shop_name: str
    amount: int
    balance: int
    at: datetime
    expires_at: datetime
    lines: tuple[ReceiptLine, ...]


class Voided(msgspec.Struct, frozen=True, kw_only=True):
    """A hold whose points and goods went back."""

    id: UUID
    status: Literal["voided"]
    amount: int


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a shop's day."""

    id: UUID
    at: datetime
    amount: int
    customer: str
    """Masked."""
    hold_id: UUID | None
    undone_at: datetime | None
    lines: tuple[ReceiptLine, ...]


class RedemptionPage(msgspec.Struct, frozen=True):
    """Redemptions of a shop, latest first; ``next`` is the cursor of the following page."""

    items: tuple[Listed, ...]
    next: str | None = None


class Wallet(msgspec.Struct, frozen=True):
    """A person's points, 0.1 point."""

    person_id: UUID
    available: int
    held: int
    awaiting: int
    offset: int
    merit: int
    at: datetime


class WalletTransfer(msgspec.Struct, frozen=True):
    """One movement; negative when it left the person."""

    id: UUID
    at: datetime
    unit: str
    code: str
    amount: int
    memo: str
    shop_id: UUID | None
    redemption_id: UUID | None


class TransferPage(msgspec.Struct, frozen=True):
    """Movements, latest first; ``next`` is the cursor of the following page."""

    items: tuple[WalletTransfer, ...]
    next: str | None = None


# --- inside: rows and what pages show


class CodeRow(msgspec.Struct, frozen=True):
    """A one-time code as stored."""

    id: UUID
    person_id: UUID
    created_at: datetime
    expires_at: datetime
    used_by: UUID | None


class OneTime(msgspec.Struct, frozen=True):
    """A fresh code: token and digits exist only here and on the worker's screen."""

    id: UUID
    token: str
    digits: str
    expires_at: datetime


class CardRow(msgspec.Struct, frozen=True):
    """A printed card that still counts."""

    id: UUID
    person_id: UUID
    number: str


class CardHolder(msgspec.Struct, frozen=True):
    """A gridworker who may have a printed card."""

    person_id: UUID
    name: str
    place: str
    number: str | None


class Untold(msgspec.Struct, frozen=True):
    """Points of somebody who does not sign in: the first last day, and what ends soon in all."""

    person_id: UUID
    name: str
    expires_on: date
    soon: int
    place: str = ""
    """Where they work; empty of who has left."""


class NewCard(msgspec.Struct, frozen=True):
    """A card to print; the token exists only on the paper."""

    person_id: UUID
    name: str
    place: str
    number: str
    token: str


class PickupRow(msgspec.Struct, frozen=True):
    """An order ahead with its hold."""

    id: UUID
    person_id: UUID
    person_name: str
    shop_id: UUID
    shop_name: str
    status: str
    amount: int
    at: datetime
    expires_at: datetime
    collector: str
    deliver_to: str
    sealed: bytes
    products: tuple[UUID, ...]
    quantities: tuple[int, ...]
    prices: tuple[int, ...]
    charged: bool
    """Given up, but fetched before and charged anew."""
    lines: tuple[ReceiptLine, ...] = ()

    @property
    def state(self) -> str:
        """The status, or ``over``: past its end, and the ledger waits for a late upload."""
        if self.status == "voided" and self.charged:
            return "charged"
        return "over" if self.status == "pending" and self.expires_at <= now() else self.status


class HoldRow(msgspec.Struct, frozen=True):
    """A hold as the ledger keeps it, with its shop."""

    id: UUID
    shop_id: UUID
    person_id: UUID | None
    status: str
    amount: int
    balance_after: int
    at: datetime
    expires_at: datetime
    products: tuple[UUID, ...]
    quantities: tuple[int, ...]
    prices: tuple[int, ...]
    shop_name: str
    unit_code: str


class RedemptionRow(msgspec.Struct, frozen=True):
    """A redemption with everything pages and receipts say about it."""

    id: UUID
    status: str
    refusal: str | None
    subject: UUID | None
    person_id: UUID | None
    person_name: str | None
    shop_id: UUID
    shop_name: str
    unit_code: str
    hold_id: UUID | None
    amount: int
    balance_after: int
    at: datetime
    means: str
    actor_id: UUID | None
    actor_name: str | None
    device: str
    collector: str
    batch: int
    position: int
    undone_at: datetime | None
    undo_reason: str | None
    lines: tuple[ReceiptLine, ...] = ()

    @property
    def goods(self) -> str:
        """食用油5L 1 桶、肥皂 2 块."""
        return "、".join(f"{line.name} {line.quantity}{line.measure}" for line in self.lines)


class LineRow(msgspec.Struct, frozen=True):
    """A line with the redemption it belongs to."""

    redemption_id: UUID
    product_id: UUID
    name: str
    measure: str
    quantity: int
    price: int


class DayTotal(msgspec.Struct, frozen=True):
    """今日 12 笔 / 318 分."""

    count: int
    amount: int


class TriesRow(msgspec.Struct, frozen=True):
    """Wrong codes at a shop."""

    failures: int
    failures_today: int
    failures_on: date | None
    blocked_until: datetime | None


class Customer(msgspec.Struct, frozen=True):
    """Whom the shop serves: 张*明 · 三组网格, and what they can spend."""

    name: str
    place: str
    available: int
    code: str
    """What the confirming form sends back: the code itself."""
    expires_at: datetime
