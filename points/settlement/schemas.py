"""What settlement shows of itself. Points in 0.1, money in fen, instants UTC."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from points.settlement.rules import PART_NAMES, Part
from shared.audit.words import authority_name
from shared.months import month_cn
from shared.roster.roles import Role, role_names

DISPUTE_NAMES = {
    "open": "待处理",
    "withdrawn": "已撤回",
    "payable": "照付",
    "refused": "不付",
}


class Event(msgspec.Struct, frozen=True):
    """A redemption or its undoing that stands in no statement yet, with all funds it drew on."""

    kind: str
    redemption_id: UUID
    shop_id: UUID
    at: datetime
    worker: str
    place: str
    goods: str
    whole_points: int
    whole_fen: int
    funds: list[UUID]
    shares: list[int]
    """Points by fund, in the order of ``funds``."""
    unpaid: list[UUID]
    """Of an undoing: funds that were decided not to pay the redemption, so nothing comes back."""


class LineRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a statement; negative for an undoing."""

    id: UUID
    position: int
    kind: str
    redemption_id: UUID
    at: datetime
    worker: str
    place: str
    goods: str
    points: int
    whole_points: int
    amount_fen: int
    disputed: bool = False

    @property
    def shared(self) -> bool:
        """Several funds pay for this redemption."""
        return self.points != self.whole_points


class StatementRow(msgspec.Struct, frozen=True, kw_only=True):
    """A statement without its lines."""

    id: UUID
    shop_id: UUID
    fund_id: UUID
    month: str
    through: datetime
    state: str
    shop_name: str
    settlement_name: str
    fund_name: str
    unit_code: str
    built_on: date
    line_count: int
    points: int
    carried: list[UUID]
    opening_fen: int
    amount_fen: int
    disputed_fen: int
    payable_fen: int
    carry_fen: int
    file_sha256: bytes
    frozen_at: datetime | None = None

    @property
    def chinese_month(self) -> str:
        return month_cn(self.month)

    @property
    def frozen(self) -> bool:
        return self.state == "frozen"

    @property
    def file_hash(self) -> str:
        return self.file_sha256.hex()


class Listed(msgspec.Struct, frozen=True):
    """A statement in a list, with who has signed."""

    statement: StatementRow
    signed: tuple[Part, ...]

    @property
    def waits_for(self) -> str:
        """``店主`` or ``村会计、村监委会``; empty when frozen."""
        if Part.SHOP not in self.signed:
            return PART_NAMES[Part.SHOP]
        return "、".join(PART_NAMES[part] for part in Part if part not in self.signed)


class DisputeRow(msgspec.Struct, frozen=True, kw_only=True):
    """有异议 on one line and what became of it."""

    id: UUID
    statement_id: UUID
    line_id: UUID
    part: str
    """``shop``, or the role by which somebody objected."""
    reason: str
    raised_by: UUID
    raised_name: str
    raised_at: datetime
    state: str
    decided_name: str | None = None
    decided_at: datetime | None = None
    note: str = ""

    @property
    def state_name(self) -> str:
        return DISPUTE_NAMES[self.state]

    def raised_as(self, department: str) -> str:
        """In which role somebody objected, in Chinese."""
        if self.part == Part.SHOP:
            return PART_NAMES[Part.SHOP]
        return role_names(department)[Role(self.part)]

    def excludes(self, frozen_at: datetime | None) -> bool:
        """Whether the line stands outside the payable sum (of the frozen file, once frozen)."""
        decided_late = frozen_at and self.decided_at and self.decided_at > frozen_at
        return self.state in {"open", "refused"} or bool(decided_late)


class SignatureRow(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed which part, and under which authority."""

    part: Part
    person_id: UUID | None
    name: str
    authority: str
    stand_in: bool
    means: str
    at: datetime

    def right(self, department: str) -> str:
        """The authority in Chinese."""
        code = self.authority.partition("@")[2]
        level = {9: "乡镇", 12: "村级"}.get(len(code), "县级")
        return authority_name(self.authority, level, department)


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A statement as one person sees it."""

    statement: StatementRow
    lines: tuple[LineRow, ...]
    disputes: tuple[DisputeRow, ...]
    signatures: tuple[SignatureRow, ...]
    may_sign: tuple[Part, ...] = ()
    disputable: tuple[LineRow, ...] = ()
    """Lines that this person may object to: never undone, never objected to before."""
    may_decide: bool = False

    @property
    def signed(self) -> dict[Part, SignatureRow]:
        return {item.part: item for item in self.signatures}


class Built(msgspec.Struct, frozen=True):
    """What a build did."""

    month: str
    made: int
    extended: int
    unchanged: int
    line_count: int
    payable_fen: int
