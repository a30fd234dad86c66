"""What a statement adds up to and who may sign it next, as pure functions.

Money is fen, points are 0.1. A closed period never changes: what is undone after its month, or
decided after the freeze, lands in the next statement.
"""

import re
import unicodedata
from collections.abc import Collection, Sequence
from datetime import date, datetime, time
from enum import StrEnum

import msgspec

from shared import months
from shared.clock import LOCAL_ZONE
from shared.errors import Invalid


def paper_key(number: str) -> str:
    """A document's number without what people type differently: 〔2026〕 5号, [2026]5号."""
    plain = unicodedata.normalize("NFKC", number).casefold()
    return re.sub(r"[(\[〔【《]", "(", re.sub(r"[)\]〕】》]", ")", re.sub(r"\s", "", plain)))


class Part(StrEnum):
    """The three who sign: the shop first, then the village's two in any order."""

    SHOP = "shop"
    ACCOUNTANT = "accountant"
    SUPERVISOR = "supervisor"


PART_NAMES = {Part.SHOP: "店主", Part.ACCOUNTANT: "村会计", Part.SUPERVISOR: "村监委会"}


class Sums(msgspec.Struct, frozen=True):
    """The figures at the foot of a statement."""

    line_count: int
    points: int
    amount_fen: int
    disputed_fen: int
    payable_fen: int
    """What the fund pays now, never below zero."""
    carry_fen: int
    """What is below zero, or 0: the opening of the next statement."""


class Figure(msgspec.Struct, frozen=True):
    """One line as the sums see it."""

    points: int
    amount_fen: int
    disputed: bool = False


def sums(opening_fen: int, lines: Sequence[Figure]) -> Sums:
    """Add up; disputed lines stand in the total but leave the payable sum."""
    amount = sum(line.amount_fen for line in lines)
    disputed = sum(line.amount_fen for line in lines if line.disputed)
    due = opening_fen + amount - disputed
    return Sums(
        line_count=len(lines),
        points=sum(line.points for line in lines),
        amount_fen=amount,
        disputed_fen=disputed,
        payable_fen=max(due, 0),
        carry_fen=min(due, 0),
    )


def split(total: int, shares: Sequence[int]) -> list[int]:
    """Divide fen in proportion to points so that the parts add up to the whole.

    Cumulative rounding: the order of ``shares`` (funds by id) decides who gets the odd fen, so
    every fund's statement, built apart, comes to the same division.
    """
    whole = sum(shares)
    parts, before, running = [], 0, 0
    for share in shares:
        running += share
        upto = total * running // whole
        parts.append(upto - before)
        before = upto
    return parts


def next_parts(signed: Collection[Part]) -> frozenset[Part]:
    """Whose turn it is; empty when all three have signed."""
    if Part.SHOP not in signed:
        return frozenset({Part.SHOP})
    return frozenset({Part.ACCOUNTANT, Part.SUPERVISOR}) - frozenset(signed)


def closed(month: str, through: datetime, *, signed: bool) -> bool:
    """Whether a statement takes up nothing more: its month is over, or somebody has signed."""
    return signed or through >= month_end(month)


def checked_month(text: str) -> str:
    """A month as typed, checked; raises Invalid."""
    if not months.MONTH.fullmatch(text):
        raise Invalid("月份请写成 2026-10 这样。", {"month": "请写成 2026-10 这样。"})
    return text


def month_start(month: str) -> datetime:
    """Midnight in China of its first day."""
    return datetime.combine(first_day(month), time(), LOCAL_ZONE)


def month_end(month: str) -> datetime:
    """Midnight in China after its last day."""
    return month_start(next_month(month))


def first_day(month: str) -> date:
    return months.month_start(months.parse_month(month))


def last_day(month: str) -> date:
    return months.month_days(months.parse_month(month))[1]


def next_month(month: str) -> str:
    return months.month_text(months.months_later(months.parse_month(month)))


def fund_owner(village_code: str, source: str) -> str:
    """Whose fund pays, by the 资金来源 column; raises ValueError for an unknown source."""
    length = SOURCE_LENGTHS.get(source.strip())
    if length is None:
        raise ValueError(f"资金来源“{source}”不认识，请填：{'、'.join(SOURCE_NAMES)}。")
    return village_code[:length]


SOURCE_NAMES = ("村集体", "乡镇", "县级")
SOURCE_LENGTHS = {
    "村集体": 12,
    "村": 12,
    "社区": 12,
    "乡镇": 9,
    "乡镇(街道)": 9,
    "乡镇（街道）": 9,
    "街道": 9,
    "县级": 6,
    "县": 6,
    "县财政": 6,
}
"""Words for a fund's owner → digits of the owner's code."""
