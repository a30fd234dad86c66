"""Clues: each a sentence of figures, and the address of the rows behind it. Points in 0.1."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from points.oversight.rules import PAPER_MINUTES
from points.rulebook.rules import show
from points.settlement.rules import first_day, last_day, next_month


class Clue(msgspec.Struct, frozen=True, kw_only=True):
    """What all have: the place, with its township."""

    place: str

    @property
    def sentence(self) -> str:
        """The fact, without a judgement."""
        raise NotImplementedError

    def rows(self, month: str) -> str:
        """Where the rows behind it stand."""
        raise NotImplementedError


class Pair(Clue, frozen=True, kw_only=True):
    """One worker's redemptions at one shop."""

    shop_id: UUID
    shop: str
    person_id: UUID
    name: str
    times: int
    points: int
    shop_times: int
    shop_points: int

    @property
    def sentence(self) -> str:
        return (
            f"{self.name}在{self.shop}兑换 {self.times} 笔、{show(self.points)} 分，"
            f"该店共 {self.shop_times} 笔、{show(self.shop_points)} 分，"
            f"占 {self.points * 100 // self.shop_points}%。"
        )

    def rows(self, month: str) -> str:
        return _ledger(month, self.shop_id, self.person_id)


class OwnShop(Clue, frozen=True, kw_only=True):
    """Who keeps a shop, or helps there, and redeemed at it."""

    shop_id: UUID
    shop: str
    person_id: UUID
    name: str
    times: int
    points: int

    @property
    def sentence(self) -> str:
        return (
            f"{self.name}是{self.shop}的店主或店员，"
            f"又在本店兑换 {self.times} 笔、{show(self.points)} 分。"
        )

    def rows(self, month: str) -> str:
        return _ledger(month, self.shop_id, self.person_id)


class Undone(Clue, frozen=True, kw_only=True):
    """A shop's redemptions that were taken back."""

    shop_id: UUID
    shop: str
    times: int
    undone: int
    late: int
    """By others than the shop."""

    @property
    def sentence(self) -> str:
        return (
            f"{self.shop}兑换 {self.times} 笔，撤销 {self.undone} 笔，"
            f"其中 {self.late} 笔是事后由村里或上级撤销。"
        )

    def rows(self, month: str) -> str:
        return _ledger(month, self.shop_id)


class Corrected(Clue, frozen=True, kw_only=True):
    """Pieces of a shop that a count found or missed, or that were taken out."""

    shop_id: UUID
    shop: str
    counts: int
    found: int
    missing: int
    taken: int

    @property
    def sentence(self) -> str:
        return (
            f"{self.shop}盘点改数 {self.counts} 次，盘盈 {self.found} 件、盘亏 {self.missing} 件，"
            f"另以破损、过期等出库 {self.taken} 件。"
        )

    def rows(self, month: str) -> str:
        return f"/desk/shops/{self.shop_id}?month={month}"


class Late(Clue, frozen=True, kw_only=True):
    """A worker's records that were typed together when the month ended."""

    person_id: UUID
    name: str
    times: int
    late: int

    @property
    def sentence(self) -> str:
        return (
            f"{self.name}用手机记的 {self.times} 条工作中，{self.late} 条"
            f"到做事当月最后两天或次月才补记，占 {self.late * 100 // self.times}%。"
        )

    def rows(self, month: str) -> str:
        return _audit(month, self.person_id)


class Same(Clue, frozen=True, kw_only=True):
    """A worker's records in the same words."""

    village_code: str
    name: str
    rule_code: str
    text: str
    times: int

    @property
    def sentence(self) -> str:
        return f"{self.name}有 {self.times} 条 {self.rule_code} 的内容相同：“{self.text}”"

    def rows(self, month: str) -> str:
        return f"/verify/months/{self.village_code}/{month.replace('-', '')}/sheet"


class Answered(Clue, frozen=True, kw_only=True):
    """What one person answered page by page, and how quickly."""

    person_id: UUID
    name: str
    times: int
    sent_back: int
    minute: int

    @property
    def sentence(self) -> str:
        back = f"退回或不认定 {self.sent_back} 条" if self.sent_back else "没有退回或不认定"
        return f"{self.name}核实 {self.times} 条，{back}；最多时一分钟内核实 {self.minute} 条。"

    def rows(self, month: str) -> str:
        return _audit(month, self.person_id)


class Paper(Clue, frozen=True, kw_only=True):
    """Paper slips that two people of a village typed and confirmed between them."""

    person_id: UUID
    name: str
    other: str
    times: int
    workers: int
    soon: int

    @property
    def sentence(self) -> str:
        return (
            f"{self.name}代录、{self.other}核实 {self.times} 条，涉及 {self.workers} 名网格员；"
            f"其中 {self.soon} 条在代录后 {PAPER_MINUTES} 分钟内核实。"
        )

    def rows(self, month: str) -> str:
        return _audit(month, self.person_id)


class Found(msgspec.Struct, frozen=True):
    """One kind of clue with what a month has of it."""

    title: str
    condition: str
    clues: Sequence[Clue]


def _ledger(month: str, shop_id: UUID, person_id: UUID | None = None) -> str:
    """The shop's part of the exchange ledger, or one worker's of that."""
    span = f"first={first_day(month)}&last={last_day(month)}"
    worker = f"&worker={person_id}" if person_id else ""
    return f"/desk/ledger?{span}&shop={shop_id}{worker}"


def _audit(month: str, person_id: UUID) -> str:
    """What somebody did with records; a month is confirmed and typed into the next."""
    until = last_day(next_month(month))
    return f"/desk/audit?subject=work&object_id={person_id}&since={first_day(month)}&until={until}"
