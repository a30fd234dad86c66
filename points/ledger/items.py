"""What can be asked of the ledger, and what it answers.

An item carries the caller's ``id``. The same id with the same content gets the same answer for
ever (``repeated``); with other content it is refused as ``id_reused``. Ids are looked up per
family: redemptions (``Redeem``, ``PostHold``), holds (``Hold``), everything else. A refusal is an
outcome, never an exception; a refused item changes nothing. Refusals of redemptions and holds are
kept, others are decided afresh when tried again.

Amounts are integers of 0.1 point, money is fen, times are UTC, days are days in China.
``fingerprint`` covers what was asked for, not when, by whom or at which price: a retry after a
price change is still a retry.
"""

import hashlib
from datetime import date, datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

import msgspec

MAX_ITEMS = 5_000
"""Items in one batch; larger work is cut into chunks."""
MAX_LINES = 50
"""Lines in one redemption."""
MAX_AMOUNT = 10**9
"""A hundred million points: nothing real is larger, and sums stay far from int8."""


class Code(StrEnum):
    """Outcome codes, in order of precedence: if several apply, the first listed is answered."""

    ACCEPTED = "accepted"
    ID_REUSED = "id_reused"
    """The id was used before with other content."""
    CODE_UNKNOWN = "code_unknown"
    """No such code (or not this person's)."""
    OWN_WALLET = "own_wallet"
    """The code belongs to who serves the counter."""
    CODE_EXPIRED = "code_expired"
    CODE_USED = "code_used"
    HOLD_UNKNOWN = "hold_unknown"
    SHOP_MISMATCH = "shop_mismatch"
    """The hold or redemption belongs to another shop."""
    HOLD_RESOLVED = "hold_resolved"
    """Posted, voided or expired before."""
    HOLD_EXPIRED = "hold_expired"
    """Past its time and not yet swept."""
    LINES_EXCEED_HOLD = "lines_exceed_hold"
    """A partial post asks for more than was held; ``subject`` is the product."""
    CANCELLED_SPENT = "cancelled_spent"
    """Fetched before its worker gave it up, but the points were spent before the upload."""
    REDEMPTION_UNKNOWN = "redemption_unknown"
    ALREADY_UNDONE = "already_undone"
    AWARD_UNKNOWN = "award_unknown"
    ALREADY_REVERSED = "already_reversed"
    REVERSE_EXCEEDS = "reverse_exceeds"
    """More than the award gave."""
    FUND_UNKNOWN = "fund_unknown"
    FUND_EXISTS = "fund_exists"
    """The unit has a fund already."""
    RESOLUTION_EXISTS = "resolution_exists"
    """The fund has a resolution of that number already."""
    RESOLUTION_UNKNOWN = "resolution_unknown"
    RESOLUTION_CHANGED = "resolution_changed"
    """It does not stand at the amount that was to be corrected (any more)."""
    BUDGET_ISSUED = "budget_issued"
    """The corrected budget would not cover what was issued."""
    OUT_OF_STOCK = "out_of_stock"
    """``subject`` is the product."""
    INSUFFICIENT = "insufficient"
    """Not enough unexpired, unheld points."""
    MONTH_LIMIT = "month_limit"
    """The person's points of this month, holds included, would exceed the limit."""
    PRODUCT_LIMIT = "product_limit"
    """The person's pieces of a product this month would exceed the limit; ``subject`` is it."""


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One product of a redemption or hold."""

    product_id: UUID
    quantity: int
    price: int
    """0.1 point a piece, a multiple of 10 (whole points)."""
    cost_fen: int
    """Agreed purchase price a piece on that day."""
    limit: int | None = None
    """Pieces a person may take in a month; None = no limit."""


class Pick(msgspec.Struct, frozen=True):
    """How many pieces of a held product are really taken."""

    product_id: UUID
    quantity: int


class _Item(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    id: UUID
    actor_id: UUID | None = None
    """Who did it; None = a job."""
    authority: str = ""
    """The role and unit that gave the right, as audit writes it."""

    def content(self) -> tuple[object, ...]:
        """Everything but id, actor and authority."""
        skip = {"id", "actor_id", "authority", *self.not_content()}
        return tuple(getattr(self, name) for name in self.__struct_fields__ if name not in skip)

    @classmethod
    def not_content(cls) -> frozenset[str]:
        """Fields that may differ between a request and its repeat."""
        return frozenset()

    def fingerprint(self) -> bytes:
        """SHA-256 of kind and content; stored, and compared when the id comes again."""
        kind = self.__struct_config__.tag
        return hashlib.sha256(msgspec.json.encode((kind, self.content()))).digest()


def _require(condition: bool, message: str) -> None:  # noqa: FBT001  reads as a sentence
    if not condition:
        raise ValueError(message)


class Award(_Item, frozen=True, kw_only=True, tag="award"):
    """Merit at once; the wallet part from the fund as far as its budget reaches, the rest waits."""

    person_id: UUID
    code: str
    """Rule code, e.g. ``SVC-01``; its first part is the category."""
    merit: int
    wallet: int
    fund_id: UUID | None
    """None = no fund yet: the wallet part waits until a fund adopts ``unit_code``."""
    unit_code: str
    """The worker's village (12 digits) on that day."""
    day: date
    """Work date; also the day the lot counts as earned."""
    expires_on: date | None
    """Last day the wallet part can be spent (``rules.expires_on``); None = never."""
    memo: str = ""
    """Words for the ledger page; nothing about residents."""

    def __post_init__(self) -> None:
        _require(0 <= self.merit <= MAX_AMOUNT, "merit out of range")
        _require(0 <= self.wallet <= MAX_AMOUNT, "wallet out of range")
        _require(self.merit + self.wallet > 0, "an award gives something")

    @classmethod
    def not_content(cls) -> frozenset[str]:
        return frozenset({"fund_id", "unit_code", "expires_on", "memo"})


class Opening(Award, frozen=True, kw_only=True, tag="opening"):
    """Balances brought over from the old books: as an award, but merit comes from ``opening``."""


class Deduct(_Item, frozen=True, kw_only=True, tag="deduct"):
    """Merit only; the balance of merit may become negative, which appraisal sees."""

    person_id: UUID
    code: str
    amount: int
    day: date
    memo: str = ""

    def __post_init__(self) -> None:
        _require(0 < self.amount <= MAX_AMOUNT, "amount out of range")

    @classmethod
    def not_content(cls) -> frozenset[str]:
        return frozenset({"memo"})


class Reverse(_Item, frozen=True, kw_only=True, tag="reverse"):
    """Take an award (or opening) or a deduction back, once.

    Of an award: merit back; the wallet part first from what still waits, then from its lots, and
    what was spent or is held becomes the person's offset, settled by later awards; what ended
    unspent is not taken a second time. ``amount`` None = all. Refused: award_unknown,
    already_reversed, reverse_exceeds.
    """

    award_id: UUID
    amount: int | None = None
    """At most what the award gave (merit and wallet alike)."""
    day: date
    memo: str = ""

    def __post_init__(self) -> None:
        _require(self.amount is None or 0 < self.amount <= MAX_AMOUNT, "amount out of range")

    @classmethod
    def not_content(cls) -> frozenset[str]:
        return frozenset({"memo", "day"})


class _Purchase(_Item, frozen=True, kw_only=True, omit_defaults=True):
    shop_id: UUID
    lines: tuple[Line, ...]
    means: Literal["token", "digits", "card", "self"]
    """How the worker was recognised; ``card`` = printed card + PIN, checked by the caller,
    ``self`` = ordered ahead by the worker, who is signed in."""
    code_hash: bytes | None = None
    """Hash of the token or digits; the code is consumed here. None with ``card`` and ``self``."""
    person_id: UUID | None = None
    """With a card: who. With a code: None, or whom the caller takes it to be."""
    refused: str = ""
    """A refusal that only the counter knows (the shop is closed): kept as if decided here."""
    refused_product: UUID | None = None
    at: datetime
    """When it happened; codes expire and months turn by it."""
    month_limit: int | None
    """0.1 point a person and month; None = no limit."""
    device: str = ""
    collector: str = ""
    """Who collects, if not the worker (named family member)."""

    def __post_init__(self) -> None:
        _require(0 < len(self.lines) <= MAX_LINES, "one to fifty lines")
        products = {line.product_id for line in self.lines}
        _require(len(products) == len(self.lines), "a product stands on one line")
        for line in self.lines:
            _require(0 < line.quantity <= 10_000, "quantity out of range")
            _require(0 < line.price <= MAX_AMOUNT, "price out of range")
            _require(line.price % 10 == 0, "prices are whole points")
            _require(0 <= line.cost_fen <= MAX_AMOUNT, "cost out of range")
        if self.means in {"card", "self"}:
            _require(self.person_id is not None, "without a code the person is named")
            _require(self.code_hash is None, "a card has no code")
        else:
            _require(self.code_hash is not None, "a code is needed")

    def content(self) -> tuple[object, ...]:
        """Shop, goods and how the worker was recognised, in any order of lines."""
        goods = sorted((str(line.product_id), line.quantity) for line in self.lines)
        who = self.person_id if self.code_hash is None else self.code_hash
        return (self.shop_id, self.means, who, goods)

    @property
    def amount(self) -> int:
        """0.1 point."""
        return sum(line.quantity * line.price for line in self.lines)


class Redeem(_Purchase, frozen=True, kw_only=True, tag="redeem"):
    """Goods for points now. Refused: code_*, out_of_stock, insufficient, *_limit; kept for ever."""


class Hold(_Purchase, frozen=True, kw_only=True, tag="hold"):
    """Points and stock kept for one shop until ``expires_at``. Refused as ``Redeem``."""

    expires_at: datetime


class PostHold(_Item, frozen=True, kw_only=True, tag="post_hold"):
    """The held goods, or some of them, are handed over: makes the redemption ``id``.

    The rest returns to its lots and shelves. Limits were counted when it was held. A hold that its
    worker gave up after ``at`` is charged anew, once, if the pickup code was ``shown``. Refused:
    hold_unknown, shop_mismatch, hold_resolved, hold_expired, lines_exceed_hold; charged anew also
    out_of_stock, cancelled_spent.
    """

    hold_id: UUID
    shop_id: UUID
    at: datetime
    """When the goods were handed over: for a day after the hold's end an upload is fine if this is
    before."""
    picks: tuple[Pick, ...] | None = None
    """None = everything."""
    device: str = ""
    collector: str | None = None
    """None = whom the hold names."""
    shown: bool = False
    """The shop proves that the pickup code was shown to it; checked by the caller."""

    def __post_init__(self) -> None:
        if self.picks is not None:
            _require(0 < len(self.picks) <= MAX_LINES, "one to fifty lines")
            products = {pick.product_id for pick in self.picks}
            _require(len(products) == len(self.picks), "a product stands on one line")
            _require(all(pick.quantity > 0 for pick in self.picks), "quantity out of range")

    def content(self) -> tuple[object, ...]:
        """Hold, shop and what was taken."""
        picks = self.picks and sorted((str(p.product_id), p.quantity) for p in self.picks)
        return (self.hold_id, self.shop_id, picks)


class VoidHold(_Item, frozen=True, kw_only=True, tag="void_hold"):
    """Points and stock go back. Refused: hold_unknown, shop_mismatch, hold_resolved."""

    hold_id: UUID
    shop_id: UUID | None = None
    """The shop that voids; None = not a shop."""
    memo: str = ""

    @classmethod
    def not_content(cls) -> frozenset[str]:
        return frozenset({"memo"})


class ExpireHolds(_Item, frozen=True, kw_only=True, tag="expire_holds"):
    """Void at most ``limit`` holds not collected by ``at``; ``quantity`` says how many."""

    at: datetime
    limit: int = 500

    def __post_init__(self) -> None:
        _require(0 < self.limit <= MAX_ITEMS, "limit out of range")


class Undo(_Item, frozen=True, kw_only=True, tag="undo"):
    """Take an accepted redemption back, whole: points to their lots, pieces to the shelf.

    A lot keeps its last day, so points that ended meanwhile come back only to be written off.
    Who may do it until when is the caller's to decide. Refused: redemption_unknown,
    shop_mismatch, already_undone.
    """

    redemption_id: UUID
    shop_id: UUID | None = None
    """The shop that undoes; None = the village secretary."""
    memo: str
    """The reason."""

    @classmethod
    def not_content(cls) -> frozenset[str]:
        return frozenset({"memo"})


class ExpireLots(_Item, frozen=True, kw_only=True, tag="expire_lots"):
    """Write off lots whose last day is before ``on``, oldest first, at most ``limit``.

    Skips lots with a live hold on them and people with an open objection or appeal. ``quantity``
    < ``limit`` means done; run again with a new id to go on.
    """

    on: date
    limit: int = 500

    def __post_init__(self) -> None:
        _require(0 < self.limit <= MAX_ITEMS, "limit out of range")


class StockMove(_Item, frozen=True, kw_only=True, tag="stock_move"):
    """Pieces in, out, or counted (``quantity`` is then what is there). Refused: out_of_stock."""

    shop_id: UUID
    product_id: UUID
    move: Literal["in", "out", "count"]
    quantity: int
    at: datetime
    memo: str = ""

    def __post_init__(self) -> None:
        low = 0 if self.move == "count" else 1
        _require(low <= self.quantity <= 10_000_000, "quantity out of range")

    @classmethod
    def not_content(cls) -> frozenset[str]:
        return frozenset({"at", "memo"})


class OpenFund(_Item, frozen=True, kw_only=True, tag="open_fund"):
    """A fund, ``id`` being the fund's; adopts waiting awards of ``covers`` that have none."""

    unit_code: str
    name: str
    point_value_fen: int
    """Reference value of one point; fixed for the fund."""
    covers: tuple[str, ...] = ()
    """Codes of the units whose waiting awards without a fund it adopts."""

    def __post_init__(self) -> None:
        _require(0 < self.point_value_fen <= 100_000, "point value out of range")


class AddResolution(_Item, frozen=True, kw_only=True, tag="add_resolution"):
    """Raise a fund's budget and release what waits, in order.

    Refused: fund_unknown, resolution_exists.
    """

    fund_id: UUID
    number: str
    resolved_on: date
    amount_fen: int
    day: date
    """The day released points count as earned."""
    expires_on: date | None
    """Last day of the released points."""

    def __post_init__(self) -> None:
        _require(0 < self.amount_fen <= 10**13, "amount out of range")

    @classmethod
    def not_content(cls) -> frozenset[str]:
        return frozenset({"day", "expires_on"})


class CorrectResolution(_Item, frozen=True, kw_only=True, tag="correct_resolution"):
    """The counter-entry to a mistyped resolution: from now on it stands at ``amount_fen``.

    A budget falls no lower than what is issued; one that rises releases what waits. Refused:
    resolution_unknown, resolution_changed, budget_issued.
    """

    resolution_id: UUID
    was_fen: int
    """What it stands at."""
    amount_fen: int
    """0 = it should not have been entered."""
    day: date
    """The day of the correction, and on which released points count as earned."""
    expires_on: date | None
    """Last day of the released points."""

    def __post_init__(self) -> None:
        _require(0 <= self.amount_fen <= 10**13, "amount out of range")
        _require(self.amount_fen != self.was_fen, "a correction changes something")

    @classmethod
    def not_content(cls) -> frozenset[str]:
        return frozenset({"day", "expires_on"})


class ReleaseAwaiting(_Item, frozen=True, kw_only=True, tag="release_awaiting"):
    """Release what waits on a fund after expiry or reversal freed budget; at most ``limit``."""

    fund_id: UUID
    day: date
    expires_on: date | None
    limit: int = 2_000

    def __post_init__(self) -> None:
        _require(0 < self.limit <= MAX_ITEMS, "limit out of range")


Item = (
    Award
    | Opening
    | Deduct
    | Reverse
    | Redeem
    | Hold
    | PostHold
    | VoidHold
    | ExpireHolds
    | Undo
    | ExpireLots
    | StockMove
    | OpenFund
    | AddResolution
    | CorrectResolution
    | ReleaseAwaiting
)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one item, the same for ever under the same id."""

    id: UUID
    code: str
    """A ``Code``."""
    repeated: bool
    """The id had this answer before; nothing was written now."""
    batch: int | None
    """Number of the batch that holds it; None if nothing was stored."""
    position: int | None
    """The item's place in that batch, from 1."""
    person_id: UUID | None = None
    amount: int = 0
    """0.1 point moved: merit of an award, deduction or reversal; price of a redemption or hold;
    points written off, released or returned; pieces moved of a stock move."""
    wallet: int = 0
    """Award: wallet part issued at once (``settled`` included). Reverse: part taken from lots."""
    waiting: int = 0
    """Award: wallet part that waits. Reverse: part that was waiting and is cancelled."""
    settled: int = 0
    """Award: wallet part that settled an offset. Reverse: part that became an offset."""
    balance: int | None = None
    """Available wallet points afterwards, of redemptions and holds."""
    quantity: int = 0
    """How many holds, lots or awards a sweep or release dealt with."""
    subject: UUID | None = None
    """The product a refusal is about."""

    @property
    def accepted(self) -> bool:
        return self.code == Code.ACCEPTED


class Balances(msgspec.Struct, frozen=True):
    """A person's points at one moment, 0.1 point."""

    merit: int
    wallet: int
    """Spendable now: unexpired lots less what is held."""
    held: int
    """In live holds."""
    offset: int
    """Owed after a reversal of spent points; later awards settle it."""
    awaiting: int
    """待拨付: waits for a budget."""


class TransferRow(msgspec.Struct, frozen=True):
    """One movement as the person sees it."""

    id: UUID
    """Also the cursor of the next page."""
    at: datetime
    batch: int
    position: int
    unit: str
    """``merit`` or ``wallet``."""
    code: str
    amount: int
    """0.1 point, negative when it left the person."""
    word: str
    """The code, or what it is called where it only follows from another item."""
    memo: str
    """The item's own; empty where the movement only follows from it."""
    day: date | None
    """Work date of an award or deduction."""
    shop_id: UUID | None
    redemption_id: UUID | None


class Receipt(msgspec.Struct, frozen=True):
    """What a worker can keep: the transfer and the block of the chain that seals it."""

    transfer_id: UUID
    county_id: int
    at: datetime
    unit: str
    code: str
    amount: int
    debit: UUID
    credit: UUID
    about: UUID
    batch: int
    position: int
    previous_hash: str
    """Hexadecimal SHA-256 of the block before."""
    hash: str
    """Hexadecimal SHA-256 of the block with this transfer."""


class LotRow(msgspec.Struct, frozen=True):
    """A person's points of one award and fund."""

    id: UUID
    fund_id: UUID
    award_id: UUID
    expires_on: date | None
    amount: int
    remaining: int
    held: int


class OpeningRow(msgspec.Struct, frozen=True):
    """A person's opening balance as it was brought over last."""

    id: UUID
    person_id: UUID
    day: date
    merit: int
    wallet: int


class Ending(msgspec.Struct, frozen=True):
    """A person's points that end on one day, the first on which any do, or that are past theirs."""

    person_id: UUID
    expires_on: date
    amount: int
    soon: int
    """What ends within the time of a reminder, on that day or a later one."""
